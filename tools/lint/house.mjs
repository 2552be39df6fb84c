/**
 * The layout of the house as data: who may import what. Paths are relative to the root, with forward slashes.
 * docs/architecture.md draws the same picture; import-boundaries.mjs holds every import against it.
 */

/** FLOORS lists, for each package, the packages of ours that it may import: only those below it. */
export const FLOORS = {
  'libs/types': [],
  'libs/stats': [],
  'libs/sqlite': [],
  'libs/redis': [],
  'libs/sdk': [],
  'libs/servers': [],
  'libs/state': ['types', 'sqlite'],
  'libs/delivery': ['types', 'redis', 'state'],
  'libs/program': ['redis', 'state', 'delivery'],
  'apps/api': ['types', 'stats', 'sqlite', 'redis', 'state', 'delivery', 'program'],
  'apps/worker': ['types', 'redis', 'state', 'delivery', 'program'],
};

/** TEST_FLOORS are what the tests of a package may import besides. */
export const TEST_FLOORS = {
  'libs/redis': ['servers'],
  'libs/state': ['servers'],
  'libs/delivery': ['servers'],
  'libs/program': ['servers'],
  'apps/api': ['sdk', 'servers'],
};

/** OUTSIDE are folders that stand outside the house and use it as anyone would: through every package's door. */
export const OUTSIDE = /^(test|bench|demo|stack)\//;

/** TESTS are the files that only tests load. */
export const TESTS = /(\.(test|contract)\.ts$)|(^test\/)|(\/rig\/)/;

/** ENTRIES are the programs' first files: they hand the environment to readConfig. */
const ENTRIES = /^apps\/[^/]+\/src\/(main|keys|backup)\.ts$/;

/** ENVIRONMENT_READERS may touch process.env. */
export const ENVIRONMENT_READERS = [
  ENTRIES,
  /^apps\/[^/]+\/src\/config\.ts$/,
  /^(tools|test|bench|demo|stack)\//,
  /^libs\/servers\//,
  /^[^/]+\.config\.(js|ts)$/,
];

/** EDGE are the files of a program that speak Nest; all other code is plain TypeScript. */
export const EDGE = [
  /^apps\/api\/src\/(main|http\.module|server)\.ts$/,
  /^apps\/worker\/src\/(main|worker\.module|worker)\.ts$/,
  /^apps\/api\/src\/.+\.(controller|gateway)\.ts$/,
  /^apps\/api\/src\/live\/live-adapter\.ts$/,
  /^apps\/api\/src\/platform\/(problem-filter|nest-log)\.ts$/,
];

/** REGISTRATIONS hold the classes that describe what people configure, and what reads a body by such a class. */
export const REGISTRATIONS = [
  /^apps\/api\/src\/(rules|alerts)\/(?!(evaluate|raise|sweep|transition)\.)[^/]+\.ts$/,
  /^apps\/api\/src\/platform\/(validated|clean-text|text-length)\.ts$/,
];

/** WIRING is where adapters are chosen: the whole in compose.ts, its steps in the folder beside it. */
export const WIRING = /^apps\/[^/]+\/src\/(compose\.ts|wiring\/[^/]+\.ts)$/;

/** DOOR is what a package shows of itself, in one file, or in a second of what only some programs need to load. */
export const DOOR = /^libs\/[^/]+\/src\/(index|redis)\.ts$/;

/** ADAPTER_FILE and ADAPTER_NAME recognise an adapter: the technology, then the port. */
export const ADAPTER_FILE = /^(sqlite|influx|memory|redis|bullmq|outbox|pg)-(store|bus|queue|limiter)$/;
export const ADAPTER_NAME = /^(Sqlite|Influx|Memory|Redis|BullMq|Bullmq|Outbox|Pg)(Store|Bus|Queue|Limiter)$/;

/** NEST and VALIDATOR are the packages that stay at the edge. */
export const NEST = /^@nestjs\//;
export const VALIDATOR = /^class-(validator|transformer)$/;

/** packageOf names the package that a file belongs to, such as `libs/types`; null outside of all packages. */
export function packageOf(file) {
  return /^(libs|apps)\/[^/]+(?=\/)/.exec(file)?.[0] ?? null;
}
