import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Process } from '@tidemark/servers';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** commandsUnder answers the lines of the first block of code below a heading of a page in docs/. */
export async function commandsUnder(page: string, heading: string): Promise<string[]> {
  const lines = (await readFile(`${ROOT}/docs/${page}`, 'utf8')).split('\n');
  const at = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  const begin = lines.indexOf('```', at);
  const end = lines.indexOf('```', begin + 1);
  const isBefore = lines.slice(at + 1, begin).every((line) => !/^#+ /.test(line));
  if (at < 0 || begin < 0 || end < 0 || !isBefore) throw new Error(`docs/${page} has no commands under "${heading}"`);
  return lines.slice(begin + 1, end);
}

/** startCommands starts lines of a page as somebody would who copies them into a shell. */
export function startCommands(lines: readonly string[], env: Readonly<Record<string, string>>): Process {
  const script = ['set -eu', `cd "${ROOT}"`, ...lines].join('\n');
  return Process.start({ command: 'sh', args: ['-c', script], env });
}

/** runCommands runs them to their end; answers what was printed, or throws it. */
export async function runCommands(lines: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  return printedBy(startCommands(lines, env));
}

/** printedBy waits for the end of commands; answers what was printed, or throws it. */
export async function printedBy(shell: Process): Promise<string> {
  const { code } = await shell.exited;
  if (code !== 0) throw new Error(`the commands ended with ${code}: ${shell.output}`);
  return shell.output;
}
