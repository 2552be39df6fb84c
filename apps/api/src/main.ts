import 'reflect-metadata';
import { createLog, stopOnSignal, systemClock, versionOf } from '@tidemark/program';
import { type Config, readConfig } from './config.js';
import { banner } from './platform/banner.js';
import { folderFault } from './platform/folder-fault.js';
import { trimHeap } from './platform/trim-heap.js';
import { type Server, startServer } from './server.js';

const VERSION = versionOf(new URL('../package.json', import.meta.url));

const outcome = readConfig(process.env);
const faults = outcome.ok ? [folderFault(outcome.config.dataDir)].filter((fault) => fault !== null) : outcome.faults;
if (outcome.ok && faults.length === 0) await run(outcome.config);
else {
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
