import 'reflect-metadata';
import { createLog, readCommandLine, stopOnSignal, systemClock, versionOf } from '@tidemark/program';
import { type Config, readConfig } from './config.js';
import { startWorker, type Worker } from './worker.js';

const VERSION = versionOf(new URL('../package.json', import.meta.url));

const HELP = `node apps/worker/dist/main.js

A worker of Tidemark: carries notifications for the API, in any number. It takes no arguments but --help and --version.
Settings are environment variables, read once at the start:

  DATABASE_URL, REDIS_URL, TIDEMARK_SECRET   those of the API, which it needs
  WORKER_PORT=8002                           where it tells of its health, default 8001
  TIDEMARK_WORKER_CONCURRENCY=32             deliveries that it sends at once, default 16

docs/configuration.md lists them all, docs/deployment.md tells how several are run.
`;

const words = { name: 'tidemark worker', version: VERSION, help: HELP, example: 'WORKER_PORT=8002' };
const asked = readCommandLine(process.argv.slice(2), words);
if (asked.kind === 'run') await start();
else {
  process[asked.to].write(asked.text);
  process.exitCode = asked.exitCode;
}

async function start(): Promise<void> {
  const outcome = readConfig(process.env);
  if (outcome.ok) return run(outcome.config);
  for (const fault of outcome.faults) process.stderr.write(`tidemark worker: ${fault}\n`);
  process.exitCode = 1;
}

async function run(config: Config): Promise<void> {
  const log = createLog(config.logLevel, process.stdout.isTTY);
  let worker: Worker;
  try {
    worker = await startWorker({ config, log, clock: systemClock });
  } catch (error) {
    process.stderr.write(`tidemark worker: ${startFault(error, config)}\n`);
    process.exit(1);
  }
  // Before anybody is told that it is ready: who is told may end it at once.
  stopOnSignal(log, () => worker.stop());
  log.info({ url: worker.url, version: VERSION }, 'tidemark worker is ready');
}

function startFault(error: unknown, config: Config): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return `WORKER_PORT: port ${config.port} is in use; set WORKER_PORT to another port`;
  if (code === 'EADDRNOTAVAIL') return `WORKER_HOST: this machine has no address ${config.host}`;
  return error instanceof Error ? error.message : String(error);
}
