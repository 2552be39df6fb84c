import { expect, it } from 'vitest';
import { closeAll, type Closer } from './close-all.js';

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

it('closes all, also where some fail or throw, and tells the first failure', async () => {
  const closed: string[] = [];
  const thrown = (): Promise<void> => {
    throw new Error('thrown');
  };
  const closers: Closer[] = [
    async () => void closed.push('first'),
    () => Promise.reject(new Error('rejected')),
    thrown,
    async () => void closed.push('last'),
  ];
  await expect(closeAll(closers)).rejects.toThrow('thrown');
  expect(closed).toEqual(['last', 'first']);
});
