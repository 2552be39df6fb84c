import type { RedisLink } from '@tidemark/redis';
import { createMessageReader, encodeMessage } from './bus-wire.js';
import { Follows } from './follows.js';
import type { LiveBus, LiveMessage } from './live-bus.js';
import { MemoryBus } from './memory-bus.js';

/** RedisBusOptions are what a RedisBus works with. */
export interface RedisBusOptions {
  /** A producer's connection. */
  readonly publisher: RedisLink;
  /** A subscriber's connection that nobody else uses. */
  readonly subscriber: RedisLink;
  /** Tells this instance from the others; a random text without a line feed. */
  readonly instance: string;
  readonly steadyMs: () => number;
  /** Told what a listener threw. */
  readonly onFault?: (error: unknown) => void;
  /** Told, once a connection, that Redis refuses a channel, for its access list perhaps: the instances do not hear all of each other. */
  readonly onRefused?: (error: unknown) => void;
  /** Counts items that did not reach the other instances. */
  readonly dropped: (kind: LiveMessage['kind'], items: number) => void;
  /** Bytes under way to Redis at most, default 4 MB; what comes beyond is dropped. */
  readonly maxPendingBytes?: number;
  /** What all channels begin with, default `tidemark:live:`. */
  readonly prefix?: string;
}

const ANNOUNCE_EVERY_MS = 5000;
const PROJECTS_A_MESSAGE = 1000;
const WHO = '?';

/**
 * RedisBus is the LiveBus of several instances: what is published is heard here at once, and over Redis by the instances
 * that follow its project. Alerts go to all. Instances announce what they follow instead of counting subscribers: Redis
 * tells of a Cluster only those of one node, and ingest must not ask. Never waits: what Redis does not take is dropped
 * and counted. On a Cluster messages may change places over milliseconds, because any node takes them.
 */
export class RedisBus implements LiveBus {
  private readonly local: MemoryBus;
  private readonly follows: Follows;
  private readonly read = createMessageReader();
  private readonly prefix: string;
  /** How often each project is followed here. */
  private readonly followed = new Map<string, number>();
  private pendingBytes = 0;
  private unreadableCount = 0;
  private timer: NodeJS.Timeout | undefined;
  private wasRefused = false;
  private closed = false;

  private constructor(private readonly options: RedisBusOptions) {
    this.local = new MemoryBus(options.onFault);
    this.follows = new Follows(options.steadyMs);
    this.prefix = options.prefix ?? 'tidemark:live:';
  }

  /** open listens to the other instances from the moment on at which Redis is there, and again whenever it is back. */
  static open(options: RedisBusOptions): RedisBus {
    const bus = new RedisBus(options);
    const { client } = options.subscriber;
    client.on('message', bus.hear);
    client.on('pmessage', bus.hearPattern);
    client.on('ready', bus.attend);
    if (options.subscriber.isUp) bus.attend();
    bus.timer = setInterval(() => bus.announce([...bus.followed.keys()]), ANNOUNCE_EVERY_MS).unref();
    return bus;
  }

  /** unreadable counts messages of other instances that could not be read, of another version perhaps. */
  get unreadable(): number {
    return this.unreadableCount;
  }

  publish(message: LiveMessage): void {
    if (this.closed) return;
    this.local.publish(message);
    const { kind, project } = message;
    if (kind !== 'alert' && !this.follows.has(project)) return;
    const { publisher, maxPendingBytes = 4 * 1024 * 1024, dropped } = this.options;
    if (!publisher.isUp || this.pendingBytes >= maxPendingBytes) return dropped(kind, message.items.length);
    const text = `${this.options.instance}\n${encodeMessage(message)}`;
    this.pendingBytes += text.length;
    publisher.client.publish(this.channel(kind, project), text).then(
      () => (this.pendingBytes -= text.length),
      () => {
        this.pendingBytes -= text.length;
        dropped(kind, message.items.length);
      },
    );
  }

  subscribe(listener: (message: LiveMessage) => void): () => void {
    return this.local.subscribe(listener);
  }

  follow(project: string): () => void {
    if (this.closed) return () => undefined;
    const count = this.followed.get(project) ?? 0;
    this.followed.set(project, count + 1);
    if (count === 0) this.listen([project]);
    let isOver = false;
    return () => {
      if (!isOver) this.unfollow(project);
      isOver = true;
    };
  }

  /** close leaves the connections open: who opened them closes them. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.timer);
    const { client } = this.options.subscriber;
    client.off('message', this.hear);
    client.off('pmessage', this.hearPattern);
    client.off('ready', this.attend);
    await this.local.close();
  }

  private unfollow(project: string): void {
    const count = (this.followed.get(project) ?? 1) - 1;
    if (count > 0) return void this.followed.set(project, count);
    this.followed.delete(project);
    const { subscriber } = this.options;
    if (subscriber.isUp && !this.closed) subscriber.client.unsubscribe(...this.channelsOf(project)).catch(this.refused);
  }

  /** Nothing is subscribed while Redis is away, so that nothing piles up: `attend` does it all when it is there. */
  private listen(projects: readonly string[]): void {
    const { subscriber } = this.options;
    if (!subscriber.isUp || projects.length === 0) return;
    const channels = projects.flatMap((project) => this.channelsOf(project));
    // Announced when it is heard: what others publish from then on arrives.
    subscriber.client.subscribe(...channels).then(() => this.announce(projects), this.refused);
  }

  private readonly attend = (): void => {
    this.wasRefused = false;
    const { client } = this.options.subscriber;
    const alerts = client.psubscribe(`${this.prefix}alert:*`);
    const follows = client.subscribe(`${this.prefix}follow`).then(() => this.say(WHO));
    for (const attending of [alerts, follows]) attending.catch(this.refused);
    this.listen([...this.followed.keys()]);
  };

  private announce(projects: readonly string[]): void {
    for (let from = 0; from < projects.length; from += PROJECTS_A_MESSAGE) {
      this.say(JSON.stringify(projects.slice(from, from + PROJECTS_A_MESSAGE)));
    }
  }

  private say(text: string): void {
    const { publisher, instance } = this.options;
    if (this.closed || !publisher.isUp) return;
    publisher.client.publish(`${this.prefix}follow`, `${instance}\n${text}`).catch(this.refused);
  }

  /** A lost connection also rejects what was under way; the link tells of that, and `attend` does it all again. */
  private readonly refused = (error: unknown): void => {
    if (this.wasRefused || !(error instanceof Error && error.name === 'ReplyError')) return;
    this.wasRefused = true;
    this.options.onRefused?.(error);
  };

  private readonly hearPattern = (_pattern: string, channel: string, text: string): void => this.hear(channel, text);

  private readonly hear = (channel: string, text: string): void => {
    const end = text.indexOf('\n');
    if (text.slice(0, end) === this.options.instance) return; // was heard here when it was published
    const body = text.slice(end + 1);
    if (channel === `${this.prefix}follow`) return this.hearFollow(body);
    const message = this.read(body);
    if (message === null) this.unreadableCount += 1;
    else this.local.publish(message);
  };

  private hearFollow(body: string): void {
    if (body === WHO) return this.announce([...this.followed.keys()]);
    const projects = readTexts(body);
    if (projects) this.follows.hear(projects);
    else this.unreadableCount += 1;
  }

  private channelsOf(project: string): string[] {
    return [this.channel('inference', project), this.channel('drift', project)];
  }

  private channel(kind: LiveMessage['kind'], project: string): string {
    return `${this.prefix}${kind}:${project}`;
  }
}

function readTexts(text: string): string[] | null {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : null;
  } catch {
    return null;
  }
}
