import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIVE_KINDS, type LiveKind } from '@tidemark/types';
import type { LiveMessage } from './live-bus.js';
import type { LiveGroup } from './live-group.js';
import { LiveProject } from './live-project.js';
import { buildRound } from './live-round.js';
import { makeAlert, makeDrift, makePoint } from './rig/points.js';
import { toSubscription } from './subscription.js';

interface Frame {
  readonly type: LiveKind;
  readonly seq: number;
  readonly items: readonly unknown[];
}

const MODELS = ['m1', 'm2', 'm3'] as const;
const START = 1000;

function openProject(keepItems: number): LiveProject {
  return new LiveProject('p', {
    follow: () => () => undefined,
    startSeq: START,
    keepItems,
    keepBytes: 1e9,
    lingerMs: 0,
    steadyMs: () => 0,
  });
}

/** Items tell their own sequence number: a point in its request id, a drift in its tags, an alert in its id. */
function messageOf(kind: LiveKind, models: readonly string[], afterSeq: number): LiveMessage {
  const seqs = models.map((model, i) => ({ model, seq: afterSeq + 1 + i }));
  const project = 'p';
  switch (kind) {
    case 'inference':
      return {
        kind,
        project,
        items: seqs.map(({ model, seq }) => makePoint({ project, model, seq, requestId: String(seq) })),
      };
    case 'drift':
      return {
        kind,
        project,
        items: seqs.map(({ model, seq }) => ({ ...makeDrift(project, model), tags: { seq: String(seq) } })),
      };
    case 'alert':
      return { kind, project, items: seqs.map(({ model, seq }) => makeAlert(String(seq), model)) };
  }
}

function seqOf(item: unknown): number {
  const { request_id, tags, id } = item as { request_id?: string; tags?: { seq?: string }; id?: string };
  return Number(request_id ?? id ?? tags?.seq);
}

function framesOf(frames: readonly Buffer[]): Frame[] {
  return frames.map((frame) => JSON.parse(frame.toString()) as Frame);
}

/** A reader as the fan-out treats a client. */
class Reader {
  readonly group: LiveGroup;
  readonly got: number[] = [];
  /** What was heard of each kind, to see the order. */
  readonly gotOf = new Map<LiveKind, number[]>();
  readonly expected: number[] = [];
  lost = 0;
  private cursor: number;
  private accounted: number;

  constructor(
    private readonly project: LiveProject,
    readonly models: readonly string[],
    readonly kinds: readonly LiveKind[],
  ) {
    this.group = project.hold(toSubscription({ type: 'subscribe', models: [...models], kinds: [...kinds] }));
    this.cursor = project.log.seq;
    this.accounted = this.group.total;
  }

  read(maxBytes: number): void {
    const { log } = this.project;
    const from = this.cursor;
    const round = buildRound(log, this.group.subscription, {
      from,
      to: log.seq,
      skip: null,
      total: this.group.total,
      maxBytes,
    });
    this.lost += round.before - this.accounted;
    const seqs: number[] = [];
    for (const { type, items } of framesOf(round.frames)) {
      const ofKind = this.gotOf.get(type) ?? [];
      ofKind.push(...items.map(seqOf));
      this.gotOf.set(type, ofKind);
      seqs.push(...items.map(seqOf));
    }
    checkResume(framesOf(round.frames), from, round.upTo);
    this.got.push(...seqs);
    this.cursor = round.upTo;
    this.accounted = round.after;
  }

  get isUpToDate(): boolean {
    return this.cursor === this.project.log.seq;
  }
}

/** The place rises with every frame, and whoever goes on from the place of one misses nothing of the later ones. */
function checkResume(frames: readonly Frame[], from: number, upTo: number): void {
  frames.forEach(({ seq }, i) => {
    expect(seq).toBeGreaterThan(frames[i - 1]?.seq ?? from);
    for (const later of frames.slice(i + 1)) for (const item of later.items) expect(seqOf(item)).toBeGreaterThan(seq);
  });
  if (frames.length > 0) expect(frames.at(-1)?.seq).toBe(upTo);
}

const models = fc.constantFrom(...MODELS);
const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('publish' as const),
      kind: fc.constantFrom(...LIVE_KINDS),
      models: fc.array(models, { maxLength: 30 }),
    }),
    fc.record({
      do: fc.constant('join' as const),
      models: fc.uniqueArray(fc.constantFrom('*', ...MODELS), { minLength: 1 }),
      kinds: fc.uniqueArray(fc.constantFrom(...LIVE_KINDS), { minLength: 1 }),
    }),
    fc.record({ do: fc.constant('read' as const), reader: fc.nat(5), maxBytes: fc.constantFrom(1, 700, 5000, 1e6) }),
  ),
  { maxLength: 60 },
);

describe('rounds', () => {
  it('bring every reader all that it follows, in order and once, but for what it is told it lost', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 40 }), (script, keepItems) => {
        const project = openProject(keepItems);
        const readers: Reader[] = [];
        for (const step of script) {
          if (step.do === 'join') readers.push(new Reader(project, step.models, step.kinds));
          else if (step.do === 'read') readers[step.reader]?.read(step.maxBytes);
          else {
            const before = project.log.seq;
            project.publish(messageOf(step.kind, step.models, before), () => undefined);
            step.models.forEach((model, i) => {
              for (const reader of readers) {
                const follows = reader.models.includes('*') || reader.models.includes(model);
                if (follows && reader.kinds.includes(step.kind)) reader.expected.push(before + 1 + i);
              }
            });
          }
        }
        for (const reader of readers) {
          while (!reader.isUpToDate) reader.read(1e6);
          reader.read(1e6);
          expect(reader.got.length + reader.lost).toBe(reader.expected.length);
          expect(new Set(reader.got).size).toBe(reader.got.length);
          expect(reader.expected).toEqual(expect.arrayContaining(reader.got));
          for (const seqs of reader.gotOf.values()) expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('number every item of a project, whatever its kind and whoever listens', () => {
    const project = openProject(10);
    project.publish(messageOf('inference', ['m1', 'm2'], START), () => undefined);
    project.hold(toSubscription({ type: 'subscribe', models: ['*'], kinds: ['alert'] }));
    project.publish(messageOf('drift', ['m1'], START + 2), () => undefined);
    project.publish(messageOf('inference', Array<string>(25).fill('m1'), START + 3), () => undefined);
    expect(project.log.seq).toBe(START + 28);
  });

  it('leave out the points that a snapshot held, without calling them lost', () => {
    const project = openProject(10);
    const subscription = toSubscription({ type: 'subscribe', models: ['*'], kinds: ['inference'] });
    const group = project.hold(subscription);
    project.publish(messageOf('inference', ['m1', 'm1', 'm1'], START), () => undefined);
    const range = { from: START, to: START + 3, skip: new Set([START + 2]), total: group.total, maxBytes: 1e6 };
    const round = buildRound(project.log, subscription, range);
    expect(framesOf(round.frames)[0]?.items.map(seqOf)).toEqual([START + 1, START + 3]);
    expect([round.before, round.after]).toEqual([0, 3]);
  });

  it('touch only the groups that follow what was published', () => {
    const project = openProject(10);
    const hold = (followed: string[], kinds: LiveKind[]) =>
      project.hold(toSubscription({ type: 'subscribe', models: followed, kinds }));
    const [all, one, alerts] = [hold(['*'], ['inference']), hold(['m1'], ['inference']), hold(['m1'], ['alert'])];
    expect(hold(['*', 'm1'], ['inference'])).toBe(all);
    const touched = (message: LiveMessage) => {
      const groups: LiveGroup[] = [];
      project.publish(message, (group) => groups.push(group));
      return groups;
    };
    expect(touched(messageOf('inference', ['m2'], START))).toEqual([all]);
    expect(touched(messageOf('inference', ['m1'], START))).toEqual([all, one]);
    expect(touched(messageOf('alert', ['m1'], START))).toEqual([alerts]);
    project.release(one);
    project.release(all);
    expect(touched(messageOf('inference', ['m1'], START))).toEqual([all]);
  });
});
