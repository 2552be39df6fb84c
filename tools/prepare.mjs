import { buildIfNeeded, compileIfNeeded } from './build.mjs';
import { CommandError, stopWithSignals } from './command.mjs';
import { installIfNeeded } from './install.mjs';

/**
 * prepare installs and builds what is missing or out of date, and compiles the folders named in `compile`. It ends the
 * process with the tail of the output and a word of advice when that fails.
 */
export async function prepare({ compile = [], out = process.stdout } = {}) {
  const undo = stopWithSignals();
  try {
    await guarded(() => installIfNeeded(out), INSTALL_ADVICE);
    await guarded(() => buildIfNeeded(out), BUILD_ADVICE);
    for (const folder of compile) await guarded(() => compileIfNeeded(folder, out), BUILD_ADVICE);
  } finally {
    undo();
  }
}

const INSTALL_ADVICE = [
  'The packages could not be installed. Check the connection to the npm registry (`npm ping`) and the room on the disk,',
  'then run the same command again; `npm ci` shows the whole output.',
].join('\n');

const BUILD_ADVICE = [
  'The sources do not compile. The lines above say where; after mending them run the same command again.',
  'With sources that were not edited, `rm -rf node_modules libs/*/dist apps/*/dist` and another start builds from nothing.',
].join('\n');

async function guarded(work, advice) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    process.stderr.write(`\n${error.tail}\n\n${error.message}.\n${advice}\n`);
    process.exit(1);
  }
}
