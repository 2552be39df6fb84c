import { uuid } from './uuid.js';

/** PointKind is which of the two streams of points one belongs to. */
export type PointKind = 'inference' | 'drift';

/** Point is something to be sent; its JSON is only made when it leaves. */
export interface Point {
  /** bytes is about how large the JSON will be; the exact size is taken when a batch is made. */
  readonly bytes: number;
  toJson(): string;
}

/** ReadyPoint is a point whose JSON is made already. */
export class ReadyPoint implements Point {
  readonly bytes: number;
  readonly #json: string;

  constructor(json: string) {
    this.#json = json;
    this.bytes = json.length;
  }

  toJson(): string {
    return this.#json;
  }
}

/** ObservedFigures is what one observed call measured. */
export interface ObservedFigures {
  readonly latencyMs: number;
  readonly timestampMs: number;
  readonly failed: boolean;
  readonly requestId: string | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly values: Readonly<Record<string, number>> | undefined;
}

/** OBSERVED_BYTES is about what an observed point takes beyond its head, tags and values. */
const OBSERVED_BYTES = 130;

/** ObservedPoint is what the wrapper puts aside on the host's time: a small object of one shape, nothing formatted. */
export class ObservedPoint implements Point {
  readonly bytes: number;
  readonly #head: string;
  readonly #figures: ObservedFigures;

  /** `head` is the opening of the JSON object up to its model, `extraBytes` the estimated size of tags and values. */
  constructor(head: string, figures: ObservedFigures, extraBytes: number) {
    this.#head = head;
    this.#figures = figures;
    this.bytes = OBSERVED_BYTES + head.length + extraBytes;
  }

  toJson(): string {
    const { latencyMs, timestampMs, failed, requestId, tags, values } = this.#figures;
    const id = requestId === undefined ? `"${uuid()}"` : JSON.stringify(requestId);
    let json = `${this.#head},"request_id":${id},"latency":${String(latencyMs)},"error_rate":${failed ? '1' : '0'}`;
    json += `,"timestamp":${String(timestampMs)}`;
    if (tags !== undefined) json += `,"tags":${JSON.stringify(tags)}`;
    if (values !== undefined) json += `,"values":${JSON.stringify(values)}`;
    return `${json}}`;
  }
}

/** observedHead answers the opening of an observed point's JSON, made once for each wrapped function. */
export function observedHead(modelId: string, modelType: string): string {
  return `{"model_id":${JSON.stringify(modelId)},"model_type":${JSON.stringify(modelType)}`;
}
