import { requireNode } from './node-version.mjs';

const HELP = `npm test [-- <filter or options of Vitest>]

Installs and builds what is needed, checks lint, types, format, generated documents, demo and bench, and runs all tests.
With a filter (such as \`npm test -- libs/stats\`) it only builds and runs the tests that match.
A few files that fail are run once more, one after the other, and told of when they pass then.
Where CI is set, a missing Debian package is a failure; elsewhere the tests that need it are skipped.
`;

requireNode();
const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) process.stdout.write(HELP);
else await test();

async function test() {
  const { prepare } = await import('./prepare.mjs');
  const { provideDebianPackages } = await import('./debian.mjs');
  const { runChecks } = await import('./checks.mjs');
  const { runVitest } = await import('./vitest.mjs');
  const { closingLine, sum, tallyChecks } = await import('./tally.mjs');
  const out = process.stdout;

  await prepare();
  const missing = await provideDebianPackages(out);
  const checks = args.length > 0 ? [] : await runChecks(out);
  const { tally, unsteady } = await runVitest(args);

  for (const { name, purpose, reason } of missing) {
    out.write(`${process.env.CI ? 'Missing' : 'Skipped what needs'} ${name}, which ${purpose}: ${reason}\n`);
    if (process.env.CI) checks.push({ name, ok: false });
  }
  for (const { name, ok } of checks) if (!ok) out.write(`Check ${name} failed; its lines are above the tests.\n`);
  for (const file of unsteady) {
    out.write(
      `${file} failed beside the others and passed by itself: a defect of it or of what it tests, see above.\n`,
    );
  }
  const total = sum(tallyChecks(checks), tally);
  out.write(`\n${closingLine(total)}\n`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}
