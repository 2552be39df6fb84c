import { describe, expect, it } from 'vitest';
import { Slots } from './slots.js';

describe('Slots', () => {
  it('lets no more tasks run at once than it has, in order of arrival, and goes on after a failure', async () => {
    const slots = new Slots(2);
    const log: string[] = [];
    let running = 0;
    const task = (name: string) =>
      slots.run(async () => {
        expect(++running).toBeLessThanOrEqual(2);
        log.push(name);
        await new Promise(setImmediate);
        running--;
        if (name === 'b') throw new Error('b failed');
        return name;
      });
    const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map(task));
    expect(log).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'failed'))).toEqual([
      'a',
      'failed',
      'c',
      'd',
      'e',
    ]);
    expect(await task('f')).toBe('f');
  });
});
