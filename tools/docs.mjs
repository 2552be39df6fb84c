import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './command.mjs';
import { renderConfiguration, renderErrors } from './pages.mjs';

/** PAGES are the documents that are generated, and how each is made. */
const PAGES = {
  'docs/configuration.md': async () =>
    renderConfiguration({
      api: (await built('apps/api/dist/config.js')).SETTINGS,
      worker: (await built('apps/worker/dist/config.js')).SETTINGS,
    }),
  'docs/errors.md': async () => {
    const types = await built('libs/types/dist/index.js');
    return renderErrors(types.ERROR_CODES, types.ITEM_CODES);
  },
};

const mode = process.argv[2];
if (mode !== '--write' && mode !== '--check') {
  process.stderr.write('usage: node tools/docs.mjs --write | --check\n');
  process.exitCode = 2;
} else {
  for (const [file, make] of Object.entries(PAGES)) {
    const text = await make();
    const path = join(ROOT, file);
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    if (mode === '--write') {
      writeFileSync(path, text);
      process.stdout.write(`wrote ${file}\n`);
    } else {
      process.stderr.write(`${file} is stale: \`npm run docs\` writes it anew\n`);
      process.exitCode = 1;
    }
  }
}

async function built(file) {
  const path = join(ROOT, file);
  if (existsSync(path)) return import(pathToFileURL(path).href);
  process.stderr.write(`${file} is not there: \`npm run build\` makes it\n`);
  return process.exit(1);
}
