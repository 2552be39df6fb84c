/** Options are what a run of the bench was asked for; no figures means all. */
export interface Options {
  readonly figures: readonly string[];
  readonly quick: boolean;
  readonly profile: boolean;
  readonly out: string | null;
}

/** OptionsOutcome is what the command line asks for, or what is wrong with it. */
export type OptionsOutcome =
  | { readonly kind: 'options'; readonly options: Options }
  | { readonly kind: 'help' }
  | { readonly kind: 'fault'; readonly fault: string };

/** USAGE explains the command line. */
export const USAGE = `npm run bench -- [figure ...] [--quick] [--profile] [results.json]

  --quick     shorter and with less stored: for a first look, not for comparing
  --profile   profile the server, which slows it, and show where its time went

Figures (all of them when none is named; the first word of several names stands for all of them):`;

/** readOptions reads a command line; `known` are the names of the figures. */
export function readOptions(args: readonly string[], known: readonly string[]): OptionsOutcome {
  const figures: string[] = [];
  let quick = false;
  let profile = false;
  let out: string | null = null;
  for (const arg of args) {
    if (arg === '--quick') quick = true;
    else if (arg === '--profile') profile = true;
    else if (arg === '--help' || arg === '-h') return { kind: 'help' };
    else if (arg.endsWith('.json')) out = arg;
    else if (named(arg, known).length > 0) figures.push(...named(arg, known));
    else return { kind: 'fault', fault: `"${arg}" is neither a figure nor an option nor a .json file to write` };
  }
  return { kind: 'options', options: { figures, quick, profile, out } };
}

/** A figure by its name, or all whose names begin with a word. */
function named(arg: string, known: readonly string[]): string[] {
  return known.filter((name) => name === arg || name.startsWith(`${arg}-`));
}
