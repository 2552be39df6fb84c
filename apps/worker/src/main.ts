import 'reflect-metadata';
import { createLog, stopOnSignal, systemClock, versionOf } from '@tidemark/program';
import { type Config, readConfig } from './config.js';
import { startWorker, type Worker } from './worker.js';

const VERSION = versionOf(new URL('../package.json', import.meta.url));

const outcome = readConfig(process.env);
if (outcome.ok) await run(outcome.config);
else {
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
