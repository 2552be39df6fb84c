import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TestContext } from 'vitest';

const run = promisify(execFile);

/** skipUnless ends a test here as skipped, and prints why, where this machine cannot run it. `reason` is null if it can. */
export function skipUnless(context: TestContext, reason: string | null): void {
  if (reason === null) return;
  process.stdout.write(`  skipped  ${context.task.name}: ${reason}\n`);
  context.skip(reason);
}

/** commandFault is null if a command runs with these arguments and ends well, else why not. */
export async function commandFault(command: string, args: readonly string[]): Promise<string | null> {
  try {
    await run(command, [...args], { timeout: 10_000 });
    return null;
  } catch (error) {
    const told = error instanceof Error ? error.message.split('\n').slice(0, 2).join(' ').trim() : String(error);
    return `${command} does not work here (${told})`;
  }
}
