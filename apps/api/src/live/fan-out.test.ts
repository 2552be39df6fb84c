import { describe, expect, it } from 'vitest';
import { OPERATOR } from '../platform/principal.js';
import { FanOut } from './fan-out.js';
import { LiveClient, type Socket } from './live-client.js';
import type { LiveGroup } from './live-group.js';
import { LIVE_LIMITS } from './live-limits.js';
import { LiveProject } from './live-project.js';
import { makeDrift, makePoint } from './rig/points.js';
import { toSubscription } from './subscription.js';

const limits = { ...LIVE_LIMITS, softBytes: 1000, hardBytes: 10_000 };

/** A network whose far end takes what it is sent when told to. */
class Wire {
  readonly frames: string[] = [];
  bufferedAmount = 0;
  isStuck = false;
  private drained: (() => void)[] = [];

  readonly socket = this as unknown as Socket;

  send(data: Buffer, _options: unknown, then?: () => void): void {
    this.frames.push(data.toString());
    if (this.isStuck) this.bufferedAmount += data.length;
    if (then) this.drained.push(then);
  }

  drain(): void {
    this.bufferedAmount = 0;
    for (const then of this.drained.splice(0)) then();
  }

  readonly closedWith: number[] = [];

  close(code: number): void {
    this.closedWith.push(code);
  }
}

function setUp(members: number, costMs = 0) {
  const clock = { nowMs: 1000 };
  const steadyMs = () => (clock.nowMs += costMs);
  const dropped: number[] = [];
  const fanOut = new FanOut({ limits, steadyMs, onDropped: (items) => dropped.push(items) });
  const project = new LiveProject('p', {
    ...limits,
    keepItems: 20,
    startSeq: 0,
    steadyMs,
    follow: () => () => undefined,
  });
  const group = project.hold(toSubscription({ type: 'subscribe', models: ['*'], kinds: ['inference'] }));
  const wires = Array.from({ length: members }, () => new Wire());
  for (const wire of wires) group.members.add(new LiveClient(wire.socket, OPERATOR, limits, steadyMs));
  let seq = 0;
  const publish = (count = 1) => {
    const items = Array.from({ length: count }, () => makePoint({ project: 'p', seq: ++seq }));
    project.publish({ kind: 'inference', project: 'p', items }, (touched: LiveGroup) => fanOut.touch(touched));
  };
  const publishDrift = () => project.publish({ kind: 'drift', project: 'p', items: [makeDrift('p')] }, () => undefined);
  return { clock, fanOut, group, wires, publish, publishDrift, dropped };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const idsOf = (wire: Wire | undefined) =>
  (wire?.frames ?? []).flatMap((frame) => frame.match(/(?<="request_id":")r\d+/g) ?? []);

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('the condition did not come to hold');
    await turn();
  }
}

describe('the fan-out', () => {
  it('sends a lone event in the next turn of the event loop', async () => {
    const { wires, publish } = setUp(2);
    publish();
    expect(wires.map(idsOf)).toEqual([[], []]);
    await turn();
    expect(wires.map(idsOf)).toEqual([['r1'], ['r1']]);
  });

  it('holds back what follows within 50 ms and sends it as one frame', async () => {
    const { clock, wires, publish } = setUp(1);
    publish();
    await turn();
    publish();
    clock.nowMs += 49;
    publish(3);
    await turn();
    expect(wires[0]?.frames).toHaveLength(1);
    clock.nowMs += 1;
    await until(() => wires[0]?.frames.length === 2);
    expect(idsOf(wires[0])).toEqual(['r1', 'r2', 'r3', 'r4', 'r5']);
  });

  it('makes the frame once for all members of a group', async () => {
    const { wires, publish } = setUp(3);
    const sent: Buffer[] = [];
    for (const wire of wires) wire.send = (data) => void sent.push(data);
    publish();
    await turn();
    expect(sent).toHaveLength(3);
    expect(new Set(sent).size).toBe(1);
  });

  it('makes it once even for members that came at different places, if nothing for them lies between', async () => {
    const { clock, group, wires, publish, publishDrift } = setUp(3);
    const sent: Buffer[] = [];
    publish();
    await turn();
    for (const [i, client] of [...group.members].entries()) {
      publishDrift();
      if (i > 0) client.cursor = group.log.seq; // as one who subscribes now
    }
    for (const wire of wires) wire.send = (data) => void sent.push(data);
    clock.nowMs += 1000;
    publish();
    await turn();
    expect(sent.map(String)).toEqual(Array(3).fill(expect.stringContaining('"r2"')));
    expect(new Set(sent).size).toBe(1);
  });

  it('lets the event loop turn between slices', async () => {
    const { wires, publish } = setUp(200, 0.1);
    publish();
    await turn();
    const afterOne = wires.filter((wire) => wire.frames.length > 0).length;
    expect(afterOne).toBeGreaterThan(0);
    expect(afterOne).toBeLessThan(100);
    await until(() => wires.every((wire) => wire.frames.length === 1));
  });

  it('sends nothing to a client that is too far behind until all is taken, and then what is left', async () => {
    const { clock, wires, publish, dropped } = setUp(2);
    const [slow, quick] = wires;
    if (slow) slow.isStuck = true;
    for (let i = 0; i < 10; i++) {
      publish(6);
      await until(() => idsOf(quick).length === 6 * (i + 1));
      clock.nowMs += 1000;
    }
    const before = idsOf(slow).length;
    expect(before).toBeLessThan(30);
    slow?.drain();
    await until(() => idsOf(slow).at(-1) === 'r60');
    expect(idsOf(slow)).toHaveLength(before + 20);
    expect(dropped).toEqual([60 - before - 20]);
    expect(slow?.frames).toContain(`{"type":"lagged","dropped":${60 - before - 20}}`);
  });

  it('never lets more than 1 MB wait for one client: past it the client is closed with 1013', () => {
    const wire = new Wire();
    wire.isStuck = true;
    const client = new LiveClient(wire.socket, OPERATOR, LIVE_LIMITS, () => 0);
    const frame = Buffer.alloc(100_000, ' ');
    for (let i = 0; i < 20; i++) client.send([frame], null);
    expect(wire.closedWith).toEqual([1013]);
    expect(wire.frames).toHaveLength(11);
    expect(client.isClosing).toBe(true);
  });

  it('sends nothing once it is closed', async () => {
    const { fanOut, wires, publish } = setUp(1);
    publish();
    fanOut.close();
    await turn();
    publish();
    await turn();
    expect(wires[0]?.frames).toEqual([]);
  });
});
