import { expect, it } from 'vitest';
import { TurnedAway } from './turned-away.js';

it('answers what was turned away first, of one channel and no more than asked for, once', () => {
  const turnedAway = new TurnedAway();
  for (const id of ['1', '2', '3']) turnedAway.add('a', id);
  turnedAway.add('b', '4');
  expect(turnedAway.take('a', 0)).toEqual([]);
  expect(turnedAway.take('a', 1)).toEqual(['1']);
  expect(turnedAway.take('a', Infinity)).toEqual(['2', '3']);
  expect(turnedAway.take('a', Infinity)).toEqual([]);
  expect(turnedAway.take('b', 9)).toEqual(['4']);
});

it('remembers one that is turned away again once, and no more than 200 of a channel', () => {
  const turnedAway = new TurnedAway();
  for (let time = 0; time < 3; time += 1) {
    for (let id = 0; id < 300; id += 1) turnedAway.add('a', String(id));
  }
  expect(turnedAway.take('a', Infinity)).toEqual(Array.from({ length: 200 }, (_, id) => String(id)));
});
