import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LaneGates } from './lane-gates.js';

const settled = () => new Promise(setImmediate);

it('lets as many of a channel pass as its lane is wide, and the next when one leaves, in order', async () => {
  const gates = new LaneGates(2, 100);
  const passed: number[] = [];
  for (let i = 0; i < 5; i += 1) void gates.enter('a').then((mayPass) => mayPass && passed.push(i));
  await settled();
  expect(passed).toEqual([0, 1]);
  gates.leave('a');
  await settled();
  expect(passed).toEqual([0, 1, 2]);
});

it('leaves room for another channel however many hang', async () => {
  const gates = new LaneGates(4, 100);
  for (let channel = 0; channel < 20; channel += 1) {
    for (let i = 0; i < 50; i += 1) void gates.enter(`hanging${channel}`);
  }
  expect(await gates.enter('free')).toBe(true);
});

it('lets as many enter as it says that there is room for', async () => {
  const gates = new LaneGates(2, 12);
  expect(gates.room('a')).toBe(Infinity);
  void gates.enter('a');
  expect(gates.room('a')).toBe(1 + 4);
  for (let more = 4; more >= 0; more -= 1) {
    void gates.enter('a');
    expect(gates.room('a')).toBe(more);
  }
  expect(await gates.enter('a')).toBe(false);
  expect(gates.room('other')).toBe(Infinity);
  gates.leave('a');
  expect(gates.room('a')).toBe(1);
  gates.close();
  expect(gates.room('a')).toBe(0);
});

it('turns away who waits when it closes, and whoever comes later', async () => {
  const gates = new LaneGates(1, 100);
  expect(await gates.enter('a')).toBe(true);
  const waiting = gates.enter('a');
  gates.close();
  expect(await waiting).toBe(false);
  expect(await gates.enter('b')).toBe(false);
  gates.leave('a');
});

it('never lets more pass than the lane is wide, and nobody wait while it is not full', async () => {
  const step = fc.record({ channel: fc.constantFrom('a', 'b', 'c'), enters: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const gates = new LaneGates(2, 40);
      const inside = { a: 0, b: 0, c: 0 };
      const waiting = { a: 0, b: 0, c: 0 };
      for (const { channel, enters } of steps) {
        if (enters) {
          waiting[channel] += 1;
          void gates.enter(channel).then((mayPass) => {
            waiting[channel] -= 1;
            if (mayPass) inside[channel] += 1;
          });
        } else if (inside[channel] > 0) {
          inside[channel] -= 1;
          gates.leave(channel);
        }
        await Promise.resolve().then(() => Promise.resolve());
        await settled();
        for (const one of ['a', 'b', 'c'] as const) {
          expect(inside[one]).toBeLessThanOrEqual(2);
          if (waiting[one] > 0) expect(inside[one]).toBe(2);
        }
      }
    }),
    { numRuns: 100 },
  );
});
