import { expect, it } from 'vitest';
import { closeAll, type Closer, openOrClose } from './close-all.js';

it('closes one after the other, last opened first', async () => {
  const steps: string[] = [];
  const closer = (name: string): Closer => {
    return async () => {
      steps.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      steps.push(`${name} ends`);
    };
  };
  await closeAll([closer('database'), closer('queue')]);
  expect(steps).toEqual(['queue begins', 'queue ends', 'database begins', 'database ends']);
});

it('closes all, also where some fail or throw, and tells every failure', async () => {
  const closed: string[] = [];
  const thrown = (): Promise<void> => {
    throw new Error('thrown');
  };
  const rejected = () => Promise.reject(new Error('rejected'));
  const closers: Closer[] = [
    async () => void closed.push('first'),
    rejected,
    thrown,
    async () => void closed.push('last'),
  ];
  await expect(closeAll(closers)).rejects.toMatchObject({ errors: [new Error('thrown'), new Error('rejected')] });
  expect(closed).toEqual(['last', 'first']);
  await expect(closeAll([rejected])).rejects.toThrow('rejected');
});

it('closes what was opened until opening failed, and tells why that failed, whatever closing does', async () => {
  const closed: string[] = [];
  const closers: Closer[] = [];
  const opening = openOrClose(closers, async () => {
    closers.push(async () => void closed.push('database'));
    closers.push(() => Promise.reject(new Error('the queue could not be closed')));
    throw new Error('the port is in use');
  });
  await expect(opening).rejects.toThrow('the port is in use');
  expect(closed).toEqual(['database']);
});

it('closes nothing of what could be opened', async () => {
  const closed: string[] = [];
  const closers: Closer[] = [async () => void closed.push('database')];
  expect(await openOrClose(closers, async () => 'open')).toBe('open');
  expect(closed).toEqual([]);
});
