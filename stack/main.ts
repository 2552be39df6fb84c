import { once } from 'node:events';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type LocalServer, missing } from '@tidemark/servers';
import { Stack, type StackOptions } from './stack.js';

const HELP = `npm run stack [-- options]

Runs Tidemark as production does, from the servers installed on this machine: nginx in front of instances of the API,
workers behind Redis, points in InfluxDB, everything else in PostgreSQL. All on free ports of 127.0.0.1.

  --apis N      instances of the API, default 2
  --workers N   workers, default 2
  --port N      port of nginx, default 8080
  --data DIR    where the data are, default ./data-stack

Settings of the API (docs/configuration.md) are handed on from the environment. What each of them writes is in its folder, in
<name>.log; that of the run before, or what made it larger than 10 MB, in <name>.log.1. Ctrl-C stops all of it, and so does closing
the terminal; a second Ctrl-C kills what is left.
`;

/** npm hands on a signal that the terminal has sent to all of the foreground: it is one wish. */
const SAME_SIGNAL_MS = 1000;

// A terminal that was closed takes no more lines: that must not end this before what it started.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  process.stderr.write(
    `tidemark stack: ${reasonOf(error)}${isUsage ? '; npm run stack -- --help lists the options' : ''}\n`,
  );
  process.exitCode = isUsage ? 2 : 1;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h' },
      apis: { type: 'string', default: '2' },
      workers: { type: 'string', default: '2' },
      port: { type: 'string', default: '8080' },
      data: { type: 'string', default: './data-stack' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const options = {
    folder: resolve(values.data),
    apis: count(values.apis, '--apis', 16),
    workers: count(values.workers, '--workers', 16),
    port: count(values.port, '--port', 65_535),
    env: handedOn(),
  };
  const absent = missing('postgres', 'redis-server', 'influxd', 'nginx');
  if (absent !== null) {
    process.stderr.write(`tidemark stack: some servers are not installed here; ${absent}\n`);
    return 1;
  }
  // Before anything starts: a signal that comes during the start ends what has started until then.
  const stop = stopSignal();
  try {
    await run(options, stop);
  } catch (error) {
    // That the start was ended is what was wanted; what could not be ended is not.
    if (!stop.aborted || error !== stop.reason) throw error;
  }
  return 0;
}

async function run(options: StackOptions, stop: AbortSignal): Promise<void> {
  const stack = await Stack.start({ ...options, signal: stop, say: (step) => process.stdout.write(`  ${step}\n`) });
  process.stdout.write(table(stack));
  for (const server of stack.servers) void tellOfDeath(server, stop);
  if (!stop.aborted) await once(stop, 'abort');
  await stack.close();
}

/** Aborted by the first signal; one that comes later than that is handed on by npm ends what is left at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  let firstMs = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) {
        if (performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(130);
        return;
      }
      firstMs = performance.now();
      process.stdout.write('\n  stopping, last started first\n');
      stop.abort();
    });
  }
  return stop.signal;
}

/** Nothing starts it again here: whoever tries things out must be able to see what the others make of it. */
async function tellOfDeath({ kind, place, process: program }: LocalServer, stop: AbortSignal): Promise<void> {
  const { code, signal } = await program.exited;
  if (stop.aborted) return;
  const lines = program.output.trimEnd().split('\n').slice(-5);
  process.stderr.write(
    `  ${kind.name} has ended (${signal ?? `code ${code}`}); its log is in ${place.folder}, its last words:\n` +
      lines.map((line) => `    ${line}\n`).join(''),
  );
}

function count(text: string, option: string, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= most) return number;
  throw new Error(`${option} takes a number from 1 to ${most}`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Settings that are not about where things are; those the stack decides. */
function handedOn(): Record<string, string> {
  const ours = /^(TIDEMARK_(?!DATA_DIR$|SECRET$)|SMTP_URL$|LOG_LEVEL$)/;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (ours.test(name) && value ? [[name, value]] : [])),
  );
}

function table(stack: Stack): string {
  const rows = stack.servers.map(({ kind, url, process: { pid }, place }) => [
    kind.name,
    url,
    String(pid),
    place.folder,
  ]);
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const lines = rows.map(
    (row) =>
      `    ${row
        .map((cell, column) => cell.padEnd(width(column)))
        .join('  ')
        .trimEnd()}`,
  );
  return `
  Tidemark runs at ${stack.url}   (reference: ${stack.url}/docs)

${lines.join('\n')}

  What each of them writes is in its folder, in <name>.log. Ctrl-C stops it.
`;
}
