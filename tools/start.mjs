import { requireNode } from './node-version.mjs';

const HELP = `npm start

Installs the packages and builds when that is needed, then runs Tidemark on http://127.0.0.1:8000.
Stop it with Ctrl-C: it finishes what it has begun.

Settings are environment variables, such as API_PORT=9000 npm start; docs/configuration.md lists them all.
See also: npm run demo, npm run keys -- --help, npm test.
`;

requireNode();
const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  process.stdout.write(HELP);
} else {
  const { npmAbove, runProgram } = await import('./program.mjs');
  const isNpmThere = npmAbove();
  const { prepare } = await import('./prepare.mjs');
  await prepare();
  runProgram('apps/api/dist/main.js', args, isNpmThere);
}
