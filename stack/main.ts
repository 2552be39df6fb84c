import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { missing } from '@tidemark/servers';
import { Stack } from './stack.js';

const HELP = `npm run stack [-- options]

Runs Tidemark as production does, from the servers installed on this machine: nginx in front of instances of the API,
workers behind Redis, points in InfluxDB, everything else in PostgreSQL. All on free ports of 127.0.0.1.

  --apis N      instances of the API, default 2
  --workers N   workers, default 2
  --port N      port of nginx, default 8080
  --data DIR    where the data are, default ./data/stack

Settings of the API (docs/configuration.md) are handed on from the environment. Ctrl-C stops all of it.
`;

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h' },
      apis: { type: 'string', default: '2' },
      workers: { type: 'string', default: '2' },
      port: { type: 'string', default: '8080' },
      data: { type: 'string', default: './data/stack' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const absent = missing('postgres', 'redis-server', 'influxd', 'nginx');
  if (absent !== null) {
    process.stderr.write(`tidemark stack: some servers are not installed here; ${absent}\n`);
    return 1;
  }
  const stack = await Stack.start({
    folder: resolve(values.data),
    apis: count(values.apis, '--apis'),
    workers: count(values.workers, '--workers'),
    port: Number(values.port),
    env: handedOn(),
    say: (step) => process.stdout.write(`  ${step}\n`),
  });
  process.stdout.write(table(stack));
  await new Promise<void>((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop());
  });
  process.stdout.write('\n  stopping, last started first\n');
  await stack.close();
  return 0;
}

function count(text: string, option: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 16) throw new Error(`${option} takes a number from 1 to 16`);
  return number;
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

  Ctrl-C stops it.
`;
}
