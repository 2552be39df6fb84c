import 'reflect-metadata';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@tidemark/program';
import { type Logger, pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { readConfig } from './config.js';
import { startServer } from './server.js';

it('releases everything when Nest does not get up', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tidemark-server-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const outcome = readConfig({ API_PORT: '0', TIDEMARK_DATA_DIR: dataDir });
  if (!outcome.ok) throw new Error(outcome.faults.join('\n'));
  const { config } = outcome;
  const start = (log: Logger) =>
    startServer({ config, version: '0', log, clock: systemClock, fatal: (error) => expect.fail(error.message) });
  // Nest's first words go to a log that cannot take them.
  const write = (line: string): void => {
    if (line.includes('Starting Nest')) throw new Error('the log is full');
  };
  await expect(start(pino({ level: 'debug' }, { write }))).rejects.toThrow('the log is full');
  // The folder is free again, and so is all that was opened in it.
  const server = await start(pino({ level: 'silent' }));
  await server.stop();
});
