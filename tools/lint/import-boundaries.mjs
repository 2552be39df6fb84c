import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as house from './house.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** importBoundaries is the ESLint rule that holds each import against the layout in house.mjs. */
export const importBoundaries = {
  meta: { type: 'problem', docs: { description: 'imports follow the layout of the house' }, schema: [] },
  create(context) {
    const file = relative(ROOT, context.filename).split(sep).join('/');
    function check(node, source, names) {
      const fault = faultOf(file, source, names);
      if (fault) context.report({ node, message: fault });
    }
    return {
      ImportDeclaration: (node) => check(node.source, node.source.value, importedNames(node)),
      ExportNamedDeclaration: (node) => node.source && check(node.source, node.source.value, importedNames(node)),
      ExportAllDeclaration: (node) => check(node.source, node.source.value, []),
      ImportExpression: (node) => typeof node.source.value === 'string' && check(node.source, node.source.value, []),
    };
  },
};

/**
 * faultOf says what is wrong with one import, or null: `file` is the importing file (from the root), `source` what it
 * imports and `names` the exports it takes.
 */
export function faultOf(file, source, names = [], manifests = readManifests) {
  if (source.startsWith('.')) return relativeFault(file, posix.join(posix.dirname(file), source));
  if (source.startsWith('@tidemark/')) return floorFault(file, source) ?? namedAdapterFault(file, names);
  if (isBuiltin(source)) return null;
  // What the root names by itself is of the places outside the packages.
  if (source.startsWith('#'))
    return house.packageOf(file) === null ? null : `imports ${source}, which lies outside the packages`;
  return edgeFault(file, source) ?? undeclaredFault(file, source, manifests);
}

function relativeFault(file, target) {
  const own = house.packageOf(file);
  const other = house.packageOf(target);
  if (own && target.startsWith(`${own}/dist/`)) return null;
  if (own !== other && other !== null) {
    const [, name] = other.split('/');
    if (other.startsWith('libs/'))
      return `reaches into ${other}: import what its door exports, from '@tidemark/${name}'`;
    if (own !== null) return `imports the program ${other}: programs never import each other`;
  }
  if (own !== null && other === null) return `leaves ${own}: a package imports nothing beside it but other packages`;
  const folder = posix.dirname(target);
  const isAdapter = house.ADAPTER_FILE.test(posix.basename(target).replace(/\.[jt]s$/, ''));
  const inFolder = posix.dirname(file) === folder || posix.dirname(file).startsWith(`${folder}/`);
  const isDoor = house.DOOR.test(file);
  if (isAdapter && !inFolder && !isDoor && !mayNameAdapters(file)) return adapterFault(posix.basename(target));
  return null;
}

function floorFault(file, source) {
  const own = house.packageOf(file);
  if (own === null) return house.OUTSIDE.test(file) || file.startsWith('tools/') ? null : 'stands outside the house';
  const name = source.split('/')[1];
  const isTest = house.TESTS.test(file);
  const allowed = [...(house.FLOORS[own] ?? []), ...((isTest && house.TEST_FLOORS[own]) || [])];
  if (allowed.includes(name)) return null;
  const list = allowed.length > 0 ? allowed.map((one) => `@tidemark/${one}`).join(', ') : 'none of ours';
  return `${own} may not import ${source}: below it are ${list}`;
}

function namedAdapterFault(file, names) {
  const adapter = names.find((name) => house.ADAPTER_NAME.test(name));
  return adapter && !mayNameAdapters(file) ? adapterFault(adapter) : null;
}

function mayNameAdapters(file) {
  return house.WIRING.test(file) || house.TESTS.test(file) || house.OUTSIDE.test(file);
}

function adapterFault(name) {
  return `names the adapter ${name}: only compose.ts chooses adapters; take the port as an argument`;
}

function edgeFault(file, source) {
  if (house.packageOf(file) === null || house.TESTS.test(file)) return null;
  const atEdge = house.EDGE.some((pattern) => pattern.test(file));
  if (house.NEST.test(source) && !atEdge)
    return `imports ${source}: Nest stays at the edge (tools/lint/house.mjs lists it)`;
  const mayRegister = atEdge || house.REGISTRATIONS.some((pattern) => pattern.test(file));
  if (house.VALIDATOR.test(source) && !mayRegister) {
    return `imports ${source}: it describes what people configure; streams have compiled schemas`;
  }
  return null;
}

/** A workspace hoists, so an import that no manifest declares works here and breaks where the package is installed. */
function undeclaredFault(file, source, manifests) {
  const own = house.packageOf(file);
  const name = source
    .split('/')
    .slice(0, source.startsWith('@') ? 2 : 1)
    .join('/');
  const isShipped = own !== null && !house.TESTS.test(file);
  const known = isShipped ? manifests(own).dependencies : manifests(own).all;
  if (known.has(name)) return null;
  return `imports ${name}, which ${isShipped ? `${own}/package.json does not list in its dependencies` : 'no package.json lists'}`;
}

const manifestsByPackage = new Map();

function readManifests(own) {
  const cached = manifestsByPackage.get(own);
  if (cached) return cached;
  const owned = own === null ? {} : manifest(join(ROOT, own, 'package.json'));
  const root = manifest(join(ROOT, 'package.json'));
  const dependencies = new Set(Object.keys({ ...owned.dependencies, ...owned.peerDependencies }));
  const all = new Set([...dependencies, ...Object.keys({ ...owned.devDependencies, ...root.devDependencies })]);
  if (own === null)
    for (const folder of root.workspaces) for (const name of readManifests(folder).dependencies) all.add(name);
  const found = { dependencies, all };
  manifestsByPackage.set(own, found);
  return found;
}

function manifest(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

function importedNames(node) {
  return node.specifiers.map((specifier) => (specifier.imported ?? specifier.local)?.name).filter(Boolean);
}
