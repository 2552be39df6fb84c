import { systemClock } from '../clock.js';
import type { ObserveSink } from '../observation.js';
import { makeObserve } from '../observe.js';
import type { Observe } from '../observe-options.js';
import { isRecord } from '../is-record.js';

/** WirePoint is an observed point as it would be sent. */
export type WirePoint = Record<PropertyKey, unknown>;

/** PointSink is a place for observed calls to end that keeps what would be sent. */
export class PointSink {
  readonly points: WirePoint[] = [];
  readonly refusals: string[] = [];
  leftOut = 0;
  openCalls = 0;
  readonly observe: Observe;

  constructor(clock: ObserveSink['clock'] = systemClock) {
    this.observe = makeObserve({
      clock,
      take: (point) => {
        const parsed: unknown = JSON.parse(point.toJson());
        if (isRecord(parsed)) this.points.push(parsed);
      },
      refuse: (message) => this.refusals.push(message),
      leftOut: (count) => (this.leftOut += count),
      opened: () => this.openCalls++,
      closed: () => this.openCalls--,
    });
  }

  /** values answers the values of each point. */
  values(): unknown[] {
    return this.points.map((point) => point['values']);
  }

  /** errors answers the error rate of each point. */
  errors(): unknown[] {
    return this.points.map((point) => point['error_rate']);
  }
}
