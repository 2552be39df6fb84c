import { canRun, freePort, startPostgres } from '@tidemark/servers';
import { Projects } from '@tidemark/state';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { closeAll, type Closer } from './close-all.js';
import { openPostgres } from './open-postgres.js';

it.skipIf(!canRun('postgres'))('waits for a PostgreSQL that is not there yet, and says once why', async () => {
  const port = await freePort();
  const lines: { level: number; msg: string; reason?: string }[] = [];
  let told: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => (told = resolve));
  const write = (line: string): void => {
    lines.push(JSON.parse(line));
    told();
  };
  const closers: Closer[] = [];
  const opening = openPostgres(`postgres://postgres@127.0.0.1:${port}/postgres`, {
    log: pino({ base: null }, { write }),
    closeLast: (closer) => closers.push(closer),
  });
  await waiting;
  const server = await startPostgres({ port });
  onTestFinished(() => server.close());
  const state = await opening;
  await new Projects(state).ensure('p', 1);
  await closeAll(closers);
  expect(closers).toHaveLength(1);
  const [line] = lines;
  expect(line).toMatchObject({ level: 40, msg: 'PostgreSQL does not answer yet; waiting for it' });
  expect(line?.reason).toContain('ECONNREFUSED');
  expect(lines).toHaveLength(1);
});
