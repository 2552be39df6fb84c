import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const NOT_SOURCES = new Set(['dist', 'node_modules', 'results']);

/**
 * isFresh tells whether a stamp was written for just these sources and nothing has touched the outputs since. `inputs`
 * are files and folders, `outputs` files.
 */
export function isFresh(stampFile, inputs, outputs) {
  try {
    return readFileSync(stampFile, 'utf8') === stampText(inputs, outputs);
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

/** writeStamp records that the outputs were made from the inputs as they were when `digest` was taken. */
export function writeStamp(stampFile, digest, outputs) {
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, `${digest}\n${outputTimes(outputs)}`);
}

/** removeStamp makes the outputs count as stale. */
export function removeStamp(stampFile) {
  rmSync(stampFile, { force: true });
}

/** digestOf is a hash over the names and contents of all inputs but tests, which no build reads. */
export function digestOf(inputs) {
  const hash = createHash('sha256');
  for (const input of inputs) {
    for (const file of filesIn(input))
      hash
        .update(`${relative('.', file)}\0`)
        .update(readFileSync(file))
        .update('\0');
  }
  return hash.digest('hex');
}

function stampText(inputs, outputs) {
  return `${digestOf(inputs)}\n${outputTimes(outputs)}`;
}

/** A build by hand changes the times of what it writes: then the stamp no longer speaks of what is there. */
function outputTimes(outputs) {
  return outputs.map((file) => `${statSync(file).mtimeMs}\n`).join('');
}

function filesIn(path) {
  if (!statSync(path).isDirectory()) return [path];
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    if (NOT_SOURCES.has(entry.name)) return [];
    if (entry.isDirectory()) return filesIn(join(path, entry.name));
    return /\.(test|contract)\.ts$/.test(entry.name) ? [] : [join(path, entry.name)];
  });
}
