import { parseArgs } from 'node:util';

/** ProgramWords are what a program says of itself. */
export interface ProgramWords {
  /** In front of what it says on stderr, such as `tidemark`. */
  readonly name: string;
  readonly version: string;
  /** The whole answer to --help. */
  readonly help: string;
  /** How one of its settings is given, such as `API_PORT=9000`. */
  readonly example: string;
}

/** CommandLine is what arguments ask for: to run, or that this text be written and the program end with this code. */
export type CommandLine =
  | { readonly kind: 'run' }
  | { readonly kind: 'told'; readonly to: 'stdout' | 'stderr'; readonly text: string; readonly exitCode: 0 | 2 };

/** readCommandLine reads the arguments of a program that takes only --help and --version: a setting given as one must not be lost. */
export function readCommandLine(args: readonly string[], words: ProgramWords): CommandLine {
  const { values, tokens } = parseArgs({
    args: [...args],
    options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
    strict: false,
    tokens: true,
  });
  if (values.help === true) return { kind: 'told', to: 'stdout', text: words.help, exitCode: 0 };
  const unknown = tokens.flatMap((token) => {
    if (token.kind === 'positional') return [token.value];
    if (token.kind !== 'option') return [];
    return token.name !== 'version' || token.value !== undefined ? [token.rawName] : [];
  });
  if (unknown.length === 0) {
    if (values.version === undefined) return { kind: 'run' };
    return { kind: 'told', to: 'stdout', text: `${words.version}\n`, exitCode: 0 };
  }
  const text =
    `${words.name}: ${unknown.join(' ')}: only --help and --version are taken as arguments. ` +
    `Settings are environment variables, such as ${words.example}; docs/configuration.md lists them all.\n`;
  return { kind: 'told', to: 'stderr', text, exitCode: 2 };
}
