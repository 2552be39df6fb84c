import { setMaxListeners } from 'node:events';
import type { RedisLink } from '@tidemark/redis';
import type { Claim, Claims, Deliveries, Delivery } from '@tidemark/state';
import { Worker } from 'bullmq';
import { Carrier, type CarrierOptions } from './carrier.js';
import { connectionOf, type DeliveryJob, faultOf, QUEUE_NAME, QUEUE_PREFIX } from './delivery-jobs.js';
import type { DeliveryQueue, QueueStats } from './delivery-queue.js';
import { LaneGates } from './lane-gates.js';
import { OutboxRelay } from './outbox-relay.js';
import { Progress, type QueueDepth } from './progress.js';
import { TurnedAway } from './turned-away.js';

/** BullMqQueueOptions are what a BullMqQueue works with. */
export interface BullMqQueueOptions extends CarrierOptions {
  readonly claims: Claims;
  readonly deliveries: Pick<Deliveries, 'get'>;
  /** Connections of a producer and of a worker. */
  readonly producer: RedisLink;
  readonly worker: RedisLink;
  /** Names this process among the workers, in the ledger. */
  readonly holder: string;
  /** How long a claim holds; longer than any try takes. Default 45 s. */
  readonly leaseMs?: number;
  /**
   * How long a job holds without a sign of life from its worker, default 10 s. It is renewed when between a quarter and a
   * half of that has passed, so that a worker must be silent for at least half of it before it loses a job.
   */
  readonly lockMs?: number;
  /** Deliveries under way for each channel, default 4. */
  readonly laneWidth?: number;
  /** Jobs in hand at most, default 200. */
  readonly places?: number;
  /** How long jobs may wait without any being taken before this consumer counts as dead, default 60 s. */
  readonly aliveMs?: number;
  readonly prefix?: string;
}

/** JobEnd is how a job ended: the channel whose lane had no room for the delivery, if it was that. */
interface JobEnd {
  readonly fullChannel: string | null;
}

const LOOKED_AT: JobEnd = { fullChannel: null };
/**
 * What a killed worker had taken and not claimed waits for its lock to end and then for a look of another worker: 5 to 15 s,
 * and 5 s more where it was the killed one that looked. Claims decide who sends, so a lock lost too early only has a row
 * looked at once more.
 */
const LOCK_MS = 10_000;
/** How long is waited for BullMQ to close what it opened, before it is cut off. */
const CLOSE_MS = 2000;

/**
 * BullMqQueue consumes the deliveries in any number of processes. The rows in the database are the queue and the truth;
 * Redis only says which of them a worker should look at. So nothing that Redis loses, repeats or delays matters: a claim
 * in the database decides who sends, and its token who may say what became of it.
 */
export class BullMqQueue implements DeliveryQueue {
  private readonly relay: OutboxRelay;
  private readonly carrier: Carrier;
  private readonly gates: LaneGates;
  private readonly turnedAway = new TurnedAway();
  private readonly progress: Progress;
  private readonly abort = new AbortController();
  private readonly inHand = new Set<Promise<JobEnd>>();
  private readonly pauses = new Set<() => void>();
  private consumer: Worker<DeliveryJob, JobEnd> | null = null;
  private sending = 0;
  private isStopping = false;
  /** Set from a fault of the consumer until it takes a job again. */
  private hasFault = false;

  constructor(private readonly options: BullMqQueueOptions) {
    const {
      claims,
      outbox,
      producer,
      wallMs,
      steadyMs,
      report,
      laneWidth = 4,
      places = 200,
      prefix = QUEUE_PREFIX,
    } = options;
    const onFault = (error: unknown): void => report({ kind: 'fault', during: 'claim', error });
    this.relay = new OutboxRelay({ claims, outbox, link: producer, wallMs, steadyMs, onFault, prefix });
    this.carrier = new Carrier(options, { signal: this.abort.signal, pause: (ms) => this.pause(ms) });
    this.gates = new LaneGates(laneWidth, places);
    this.progress = new Progress({ link: producer, steadyMs, prefix, aliveMs: options.aliveMs ?? 60_000 });
  }

  async start(): Promise<void> {
    const { worker, lockMs = LOCK_MS, places = 200, prefix = QUEUE_PREFIX } = this.options;
    setMaxListeners(0, this.abort.signal); // One for each delivery under way, which the places bound.
    this.consumer = new Worker<DeliveryJob, JobEnd>(QUEUE_NAME, ({ data }) => this.take(data), {
      connection: connectionOf(worker),
      prefix,
      concurrency: places,
      lockDuration: lockMs,
      stalledInterval: Math.ceil(lockMs / 2),
      // A worker that dies in a job is the job's bad luck, however often: the schedule in the ledger ends it, not this.
      maxStalledCount: 1_000_000,
      runRetryDelay: 1000,
    });
    this.consumer.on('error', (error) => this.tellFault(error));
    this.consumer.on('completed', ({ data }, end) => this.ended(data, end));
    this.progress.start();
    this.relay.start();
  }

  wake(): void {
    this.relay.wake();
  }

  async stop(deadlineMs: number): Promise<{ readonly aborted: number }> {
    const aborted = { count: 0 };
    if (this.isStopping) return { aborted: 0 };
    this.isStopping = true;
    this.progress.stop();
    const relayed = this.relay.stop();
    await this.consumer?.pause(true);
    this.gates.close();
    const late = setTimeout(() => {
      aborted.count = this.sending;
      this.abort.abort(new Error('the queue is stopped'));
      for (const end of this.pauses) end();
    }, deadlineMs);
    while (this.inHand.size > 0) await Promise.all(this.inHand);
    clearTimeout(late);
    await relayed;
    await this.closeConsumer();
    return { aborted: aborted.count };
  }

  stats(): QueueStats {
    return { sending: this.sending, postponed: 0 };
  }

  /** depth is what the queue held when it was last looked at, a few seconds ago; null while Redis is away. */
  get depth(): QueueDepth | null {
    return this.progress.depth;
  }

  /** lastProgressMs is when a job was last taken or ended, on the clock that only goes forward. */
  get lastProgressMs(): number {
    return this.progress.lastMs;
  }

  /** isAlive tells whether this consumer works: not whether it is connected, but that no job waits in vain. */
  isAlive(): boolean {
    return this.progress.isAlive();
  }

  /** A job says where to look and is done when that was looked at, whatever came of it: the row says what is next. */
  private async take(job: DeliveryJob): Promise<JobEnd> {
    if (this.isStopping) return LOOKED_AT;
    this.hasFault = false;
    this.progress.note();
    const taken = this.carry(job).catch((error: unknown) => {
      this.options.report({ kind: 'fault', during: 'claim', error });
      return LOOKED_AT;
    });
    this.inHand.add(taken);
    const end = await taken;
    this.inHand.delete(taken);
    this.progress.note();
    this.wake(); // the next of the same alert may be free now
    return end;
  }

  /** Only now that Redis has forgotten the job may a new one of its id be made. */
  private ended({ id }: DeliveryJob, { fullChannel }: JobEnd): void {
    if (fullChannel === null) return;
    this.turnedAway.add(fullChannel, id);
    this.tellAgain(fullChannel); // those in the lane may have left meanwhile
  }

  private tellAgain(channelId: string): void {
    this.relay.tellAgain(this.turnedAway.take(channelId, this.gates.room(channelId)));
  }

  private async carry({ id, project }: DeliveryJob): Promise<JobEnd> {
    const { claims, deliveries, wallMs, holder, leaseMs = 45_000 } = this.options;
    const row = await deliveries.get(project, id);
    if (row === null) return LOOKED_AT;
    if (!(await this.gates.enter(row.channelId))) return { fullChannel: row.channelId };
    this.sending += 1;
    try {
      // Only now, so that no lease runs while it waits for its turn.
      const claimed = await claims.claim(id, { nowMs: wallMs(), leaseMs, holder });
      if (claimed.outcome === 'claimed') await this.deliver(claimed.delivery, claimed.claim);
    } finally {
      this.sending -= 1;
      this.gates.leave(row.channelId);
      this.tellAgain(row.channelId);
    }
    return LOOKED_AT;
  }

  private async deliver(delivery: Delivery, claim: Claim): Promise<void> {
    const { outbox, wallMs, report } = this.options;
    const { outcome, durationMs } = await this.carrier.attempt(delivery);
    const nowMs = wallMs();
    // What was aborted was no try, and nobody knows whether it arrived: it is given back, to be repeated.
    if (this.abort.signal.aborted && outcome.kind === 'retry') {
      await outbox.release(delivery.id, { dueMs: nowMs, atMs: nowMs }, claim);
    } else if (outcome.kind === 'postponed') {
      await outbox.release(delivery.id, { dueMs: nowMs + outcome.afterMs, atMs: nowMs }, claim);
      report({ kind: 'outcome', delivery, outcome, status: 'postponed', durationMs });
    } else await this.carrier.settle(delivery, outcome, { durationMs, claim });
  }

  /** A Redis that is away is told by its link; one that is there and refuses, full perhaps, is told here, once. */
  private tellFault(error: unknown): void {
    if (this.hasFault || this.isStopping || !this.options.worker.isUp) return;
    this.hasFault = true;
    this.options.report({ kind: 'fault', during: 'claim', error: faultOf(error) });
  }

  /** Waits, and answers whether the queue goes on. Ends at the deadline of a stop, not at its beginning. */
  private pause(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.pauses.delete(end);
        resolve(!this.abort.signal.aborted);
      };
      const timer = setTimeout(end, ms);
      this.pauses.add(end);
    });
  }

  /** With a Redis that is away BullMQ would wait for it. What it then could not say, the lock's end says. */
  private async closeConsumer(): Promise<void> {
    const { consumer } = this;
    if (!consumer) return;
    const late = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), CLOSE_MS).unref());
    const closing = consumer.close().catch(() => undefined);
    if ((await Promise.race([closing, late])) === 'late') void consumer.disconnect().catch(() => undefined);
  }
}
