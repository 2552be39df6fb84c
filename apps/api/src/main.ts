import 'reflect-metadata';
import { createLog, readCommandLine, stopOnSignal, systemClock, versionOf } from '@tidemark/program';
import { type Config, readConfig } from './config.js';
import { banner } from './platform/banner.js';
import { folderFault } from './platform/folder-fault.js';
import { trimHeap } from './platform/trim-heap.js';
import { type Server, startServer } from './server.js';

const VERSION = versionOf(new URL('../package.json', import.meta.url));

const HELP = `node apps/api/dist/main.js, or npm start

The API of Tidemark, by default on http://127.0.0.1:8000; without a database of its own it is the whole platform in one process.
It takes no arguments but --help and --version. Settings are environment variables, read once at the start:

  API_PORT=9000                    where it listens, default 8000
  API_HOST=0.0.0.0                 on which address, default 127.0.0.1; any but a loopback address needs an API key
  TIDEMARK_DATA_DIR=DIR            where the data are, default ./data
  DATABASE_URL, REDIS_URL,
  INFLUXDB_URL                     PostgreSQL, Redis and InfluxDB, for several instances

docs/configuration.md lists them all, docs/deployment.md tells how several are run.
`;

const words = { name: 'tidemark', version: VERSION, help: HELP, example: 'API_PORT=9000' };
const asked = readCommandLine(process.argv.slice(2), words);
if (asked.kind === 'run') await start();
else {
  process[asked.to].write(asked.text);
  process.exitCode = asked.exitCode;
}

async function start(): Promise<void> {
  const outcome = readConfig(process.env);
  const faults = outcome.ok ? [folderFault(outcome.config.dataDir)].filter((fault) => fault !== null) : outcome.faults;
  if (outcome.ok && faults.length === 0) return run(outcome.config);
  for (const fault of faults) process.stderr.write(`tidemark: ${fault}\n`);
  process.exitCode = 1;
}

async function run(config: Config): Promise<void> {
  const log = createLog(config.logLevel, process.stdout.isTTY);
  const fatal = (error: Error) => {
    log.error({ err: error }, 'stopping, because nothing can be stored any more');
    process.exit(70);
  };
  let server: Server;
  try {
    server = await startServer({ config, version: VERSION, log, clock: systemClock, fatal });
  } catch (error) {
    process.stderr.write(`tidemark: ${startFault(error, config)}\n`);
    process.exitCode = 1;
    return;
  }
  // Before the loop turns: /readyz answers from then on, and who is told may end it at once.
  stopOnSignal(log, () => server.stop());
  await trimHeap();
  process.stdout.write(banner(server.url, config, process.stdout.isTTY));
  log.info({ url: server.url, version: VERSION, dataDir: config.dataDir }, 'tidemark is ready');
}

function startFault(error: unknown, config: Config): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return `API_PORT: port ${config.port} is in use; stop the other program or set API_PORT to another port`;
  if (code === 'EACCES') return `API_PORT: port ${config.port} may not be used by this user; set API_PORT above 1023`;
  if (code === 'EADDRNOTAVAIL') return `API_HOST: this machine has no address ${config.host}`;
  return error instanceof Error ? error.message : String(error);
}
