import { expect, it } from 'vitest';
import { Backlogs } from './backlogs.js';
import { type MakeEngine, useState } from './engine.contract.js';
import { Revisions } from './revisions.js';

/** describePort states what holds for what waits at instances on every engine. */
export function describePort(makeEngine: MakeEngine): void {
  const { state, another } = useState(makeEngine);

  it('is what each instance said last, as every other sees it, and has a revision of its own', async () => {
    const [here, there] = [new Backlogs(state()), new Backlogs(await another())];
    const revision = async () => (await new Revisions(state()).read()).get('backlogs');
    const first = { writer: 'a', points: 3_000_000_000, oldestMs: 1_772_366_400_000, updatedMs: 1_772_366_400_500 };
    expect([await there.list(), await revision()]).toEqual([[], 0]);
    await here.put({ ...first, points: 0 });
    expect(await revision()).toBe(0);
    await here.put(first);
    await there.put({ ...first, writer: 'b', points: 1 });
    await here.put({ ...first, points: 5, updatedMs: first.updatedMs + 1 });
    expect(await there.list()).toEqual([
      { ...first, points: 5, updatedMs: first.updatedMs + 1 },
      { ...first, writer: 'b', points: 1 },
    ]);
    expect(await revision()).toBe(3);
    await here.put({ ...first, points: 0 });
    expect((await there.list()).map(({ writer }) => writer)).toEqual(['b']);
    expect(await revision()).toBe(4);
  });
}
