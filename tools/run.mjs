import { requireNode } from './node-version.mjs';

/** PROGRAMS can be run by name: the built file, and the folder to compile for it. */
const PROGRAMS = {
  demo: { file: 'demo/dist/main.js', compile: ['demo'] },
  bench: { file: 'bench/dist/bench/main.js', compile: ['bench'] },
  stack: { file: 'stack/dist/main.js', compile: ['stack'] },
  keys: { file: 'apps/api/dist/keys.js', compile: [] },
  backup: { file: 'apps/api/dist/backup.js', compile: [] },
};

requireNode();
const [name, ...args] = process.argv.slice(2);
const program = Object.hasOwn(PROGRAMS, name ?? '') ? PROGRAMS[name] : null;
if (!program) {
  process.stderr.write(`usage: npm run ${Object.keys(PROGRAMS).join(' | npm run ')}  (arguments after --)\n`);
  process.exitCode = 2;
} else {
  const { npmAbove, runProgram } = await import('./program.mjs');
  const isNpmThere = npmAbove();
  const { prepare } = await import('./prepare.mjs');
  // What a program prints may be piped on: what is said of preparing it goes beside.
  await prepare({ compile: program.compile, out: process.stderr });
  runProgram(program.file, args, isNpmThere);
}
