import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { requireNode } from './node-version.mjs';

const HELP = `npm start

Installs the packages and builds when that is needed, then runs Tidemark on http://127.0.0.1:8000.
Stop it with Ctrl-C: it finishes what it has begun. --version prints its version.

Settings are environment variables, those that are wanted most:

  API_PORT=9000 npm start            another port
  API_HOST=0.0.0.0 npm start         for other machines too; make a key first: npm run keys -- create
  TIDEMARK_DATA_DIR=DIR npm start    where the data are, default ./data

docs/configuration.md lists them all. See also: npm run demo, npm run keys -- --help, npm test.
`;

requireNode();
const { values, tokens } = parseArgs({
  options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
  strict: false,
  tokens: true,
});
// Before anything is installed or built; the program itself takes no others.
// It says the same of them (libs/program, command-line.ts), but is not built yet.
const unknown = tokens.filter(({ kind, name, value }) => {
  return kind === 'positional' || (kind === 'option' && (name !== 'version' || value !== undefined));
});
if (values.help === true) {
  process.stdout.write(HELP);
} else if (unknown.length > 0) {
  const named = unknown.map(({ rawName, value }) => rawName ?? value).join(' ');
  process.stderr.write(
    `npm start: ${named}: only --help and --version are taken as arguments. ` +
      'Settings are environment variables, such as API_PORT=9000 npm start; docs/configuration.md lists them all.\n',
  );
  process.exitCode = 2;
} else if (values.version) {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`${version}\n`);
} else {
  const { npmAbove, runProgram } = await import('./program.mjs');
  const isNpmThere = npmAbove();
  const { prepare } = await import('./prepare.mjs');
  await prepare();
  runProgram('apps/api/dist/main.js', [], isNpmThere);
}
