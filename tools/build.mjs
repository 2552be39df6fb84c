import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { npmCommand, quietly, ROOT } from './command.mjs';
import { digestOf, isFresh, removeStamp, writeStamp } from './stamp.mjs';
import { step } from './step.mjs';

const STAMPS = join(ROOT, 'node_modules/.cache/tidemark');
const ROOT_INPUTS = ['tsconfig.base.json', 'tsconfig.libs.json', 'nest-cli.json', 'package-lock.json'].map(inRoot);

/** buildIfNeeded builds all packages when their sources changed; it tells whether there was something to do. */
export async function buildIfNeeded(out) {
  const packages = ['libs', 'apps'].flatMap((folder) => readdirSync(inRoot(folder)).map((name) => `${folder}/${name}`));
  const built = packages.filter((folder) => existsSync(inRoot(`${folder}/tsconfig.json`)));
  const inputs = [
    ...ROOT_INPUTS,
    ...built.flatMap((folder) => ['src', 'tsconfig.json', 'package.json'].map((name) => inRoot(`${folder}/${name}`))),
  ];
  const outputs = built.flatMap((folder) => [inRoot(`${folder}/dist/.tsbuildinfo`), inRoot(mainFile(folder))]);
  const [command, args] = npmCommand(['run', 'build', '--silent']);
  const words = {
    doing: 'Building',
    done: 'Built',
    note: existsSync(outputs[0]) ? 'sources changed' : 'the first time takes longest',
  };
  return refresh({ name: 'build', inputs, outputs, words, work: () => quietly(command, args), out });
}

/** USES are folders beside the packages that another one uses: they are compiled with it, into its dist. */
const USES = { bench: ['stack'] };

/** compileIfNeeded compiles a folder beside the packages (demo, bench) into its dist, with the data it reads. */
export async function compileIfNeeded(folder, out) {
  const libs = readdirSync(inRoot('libs')).map((name) => inRoot(`libs/${name}/dist/.tsbuildinfo`));
  const used = USES[folder] ?? [];
  const inputs = [...ROOT_INPUTS, ...[folder, ...used].map(inRoot), ...libs.filter((file) => existsSync(file))];
  const outputs = [inRoot(used.length > 0 ? `${folder}/dist/${folder}/main.js` : `${folder}/dist/main.js`)];
  const words = { doing: `Compiling ${folder}`, done: `Compiled ${folder}` };
  const work = async () => {
    await quietly(process.execPath, [inRoot('node_modules/typescript/bin/tsc'), '-p', inRoot(folder)]);
    const data = inRoot(`${folder}/data`);
    if (existsSync(data)) cpSync(data, inRoot(`${folder}/dist/data`), { recursive: true });
  };
  return refresh({ name: folder, inputs, outputs, words, work, out });
}

async function refresh({ name, inputs, outputs, words, work, out }) {
  const stamp = join(STAMPS, `${name}.stamp`);
  if (outputs.every((file) => existsSync(file)) && isFresh(stamp, inputs, outputs)) return false;
  removeStamp(stamp);
  // The compiler trusts its own notes: where an output is gone they must go too, or it is not written again.
  for (const file of outputs) {
    if (!existsSync(file)) rmSync(join(file, '../.tsbuildinfo'), { force: true });
  }
  const digest = digestOf(inputs);
  await step(words, work, out);
  writeStamp(stamp, digest, outputs);
  return true;
}

function mainFile(folder) {
  return folder.startsWith('apps/') ? `${folder}/dist/main.js` : `${folder}/dist/index.js`;
}

function inRoot(path) {
  return join(ROOT, path);
}
