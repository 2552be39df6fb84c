import { LIVE_MAX_MESSAGES_PER_SECOND, type LiveRequest } from '@tidemark/types';
import type { RawData, WebSocket } from 'ws';
import type { Principal } from '../platform/principal.js';
import { FanOut } from './fan-out.js';
import { Heartbeat } from './heartbeat.js';
import type { LiveBus } from './live-bus.js';
import { CLOSE, LiveClient } from './live-client.js';
import { LIVE_LIMITS, type LiveLimits } from './live-limits.js';
import { LiveProject } from './live-project.js';
import { LiveSnapshots, type Snapshot, type SnapshotSource } from './live-snapshots.js';
import { createRequestReader, type RequestReader } from './read-request.js';
import { toSubscription } from './subscription.js';

/** LiveFeedDeps are what the feed works with. */
export interface LiveFeedDeps extends SnapshotSource {
  readonly bus: LiveBus;
  /** When the process began, UTC epoch ms: sequence numbers start from it. */
  readonly startedMs: number;
  readonly steadyMs: () => number;
  /** Counts items that slow clients lost. */
  readonly dropped: { inc(items: number): void };
  /** Told of a snapshot that could not be read, and of any defect of the feed. */
  readonly onFault: (error: unknown) => void;
  readonly limits?: Partial<LiveLimits>;
}

type Subscribe = Extract<LiveRequest, { type: 'subscribe' }>;

/** LiveFeed tells clients what is published on the bus: nothing crosses projects, nothing waits for a client. */
export class LiveFeed {
  private readonly open = new Set<LiveClient>();
  private readonly projects = new Map<string, LiveProject>();
  private readonly limits: LiveLimits;
  private readonly fanOut: FanOut;
  private readonly snapshots: LiveSnapshots;
  private readonly heartbeat: Heartbeat;
  private readRequest: RequestReader | null = null;
  private unsubscribe: (() => void) | null = null;
  private emptied: (() => void) | null = null;
  private closing: Promise<void> | null = null;

  constructor(private readonly deps: LiveFeedDeps) {
    const { steadyMs } = deps;
    this.limits = { ...LIVE_LIMITS, ...deps.limits };
    this.fanOut = new FanOut({ limits: this.limits, steadyMs, onDropped: (items) => deps.dropped.inc(items) });
    this.snapshots = new LiveSnapshots(deps, this.limits, steadyMs);
    this.heartbeat = new Heartbeat(this.open, this.limits, steadyMs);
  }

  /** clients is the number of connections. */
  get clients(): number {
    return this.open.size;
  }

  /** isOpen tells whether the feed takes clients. */
  get isOpen(): boolean {
    return this.unsubscribe !== null;
  }

  /** start begins to listen to the bus. */
  start(): void {
    this.readRequest ??= createRequestReader();
    this.unsubscribe ??= this.deps.bus.subscribe((message) => {
      this.project(message.project).publish(message, (group) => this.fanOut.touch(group));
    });
  }

  /** join takes a connection in, of a caller who may read. */
  join(socket: WebSocket, principal: Principal): void {
    const client = new LiveClient(socket, principal, this.limits, this.deps.steadyMs);
    this.open.add(client);
    socket.on('message', (data, isBinary) => this.hear(client, data, isBinary));
    socket.on('ping', () => this.isAllowed(client));
    socket.on('pong', () => client.heard());
    socket.on('error', ignore); // ws closes the connection by itself: a broken frame, a broken pipe
    socket.on('close', () => this.part(client));
    this.heartbeat.start();
    if (!this.isOpen) client.close(CLOSE.goingAway, 'the server is stopping');
  }

  /** disconnect closes the clients that match with 1008, such as those of a key that was revoked; it answers how many. */
  disconnect(matches: (principal: Principal) => boolean): number {
    const clients = [...this.open].filter(({ principal, isClosing }) => !isClosing && matches(principal));
    for (const client of clients) this.dismiss(client, CLOSE.policy, 'the key no longer opens this feed');
    return clients.length;
  }

  /** close says good-bye to all clients (1001) and cuts off those that have not gone after the grace time. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    this.unsubscribe?.();
    this.unsubscribe = null;
    this.fanOut.close();
    for (const client of this.open) this.dismiss(client, CLOSE.goingAway, 'the server is stopping');
    if (this.open.size > 0) await this.whenEmpty();
    this.heartbeat.stop();
  }

  private hear(client: LiveClient, data: RawData, isBinary: boolean): void {
    client.heard();
    if (!this.isAllowed(client) || !this.readRequest) return;
    const outcome = this.readRequest(isBinary ? '' : textOf(data));
    if (!outcome.ok) return client.say({ type: 'error', code: outcome.code, message: outcome.message });
    const { request } = outcome;
    switch (request.type) {
      case 'ping':
        return client.say({ type: 'pong' });
      case 'unsubscribe':
        return this.leave(client);
      case 'subscribe':
        this.subscribe(client, request).catch((error: unknown) => {
          this.deps.onFault(error);
          client.cut();
        });
    }
  }

  private isAllowed(client: LiveClient): boolean {
    if (client.isClosing) return false;
    if (!client.countMessage(LIVE_MAX_MESSAGES_PER_SECOND)) return true;
    this.dismiss(client, CLOSE.policy, `more than ${LIVE_MAX_MESSAGES_PER_SECOND} messages a second`);
    return false;
  }

  private async subscribe(client: LiveClient, request: Subscribe): Promise<void> {
    this.leave(client);
    const turn = ++client.turn;
    const group = this.project(client.principal.project).hold(toSubscription(request));
    client.group = group;
    const { since_seq: since } = request;
    const gap = since === undefined ? null : group.log.gapSince(group.subscription, since);
    const resumes = since !== undefined && gap !== null && gap.kind !== 'restarted';
    const snapshot = await (resumes ? this.snapshots.resume(group, since) : this.snapshots.take(group));
    if (client.turn !== turn || client.isClosing) return;
    if (snapshot.fault !== null) this.tellFault(client, snapshot.fault);
    client.send([snapshot.frame], null);
    if (gap?.kind === 'lost') client.say({ type: 'lagged', dropped: gap.dropped });
    if (gap?.kind === 'restarted') client.say({ type: 'lagged', dropped: gap.dropped, restarted: true });
    this.follow(client, snapshot);
  }

  private follow(client: LiveClient, snapshot: Snapshot): void {
    const { group } = client;
    if (!group) return;
    client.cursor = snapshot.seq;
    client.accounted = snapshot.accounted;
    client.skip = snapshot.points;
    client.skipUntilMs = snapshot.pointsUntilMs;
    group.members.add(client);
    if (group.newestSeq > client.cursor) this.fanOut.touch(group);
  }

  private tellFault(client: LiveClient, fault: unknown): void {
    this.deps.onFault(fault);
    client.say({ type: 'error', code: 'storage_unavailable', message: 'the snapshot is not whole' });
  }

  private leave(client: LiveClient): void {
    const { group } = client;
    client.turn++;
    client.group = null;
    if (!group) return;
    group.members.delete(client);
    this.project(group.project).release(group);
  }

  private dismiss(client: LiveClient, code: number, reason: string): void {
    this.leave(client);
    client.close(code, reason);
  }

  private part(client: LiveClient): void {
    this.leave(client);
    this.open.delete(client);
    if (this.open.size > 0) return;
    this.heartbeat.stop();
    this.emptied?.();
  }

  private whenEmpty(): Promise<void> {
    return new Promise((resolve) => {
      const cut = setTimeout(() => {
        for (const client of this.open) client.cut();
      }, this.limits.closeGraceMs);
      this.emptied = () => {
        clearTimeout(cut);
        resolve();
      };
    });
  }

  private project(name: string): LiveProject {
    const found = this.projects.get(name);
    if (found) return found;
    const { bus, steadyMs, startedMs } = this.deps;
    const follow = (): (() => void) => bus.follow(name);
    const project = new LiveProject(name, { ...this.limits, steadyMs, startSeq: startedMs * 1000, follow });
    this.projects.set(name, project);
    return project;
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return (Buffer.isBuffer(data) ? data : Buffer.from(data)).toString();
}

function ignore(): void {
  // see above
}
