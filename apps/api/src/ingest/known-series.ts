import { type InferenceMetric, MODEL_TYPES, type ModelType } from '@tidemark/types';
import type { Series } from '../store/point-store.js';
import { type ByteCursor, equalBytes } from './byte-cursor.js';
import { findBoundsFault } from './json-bounds.js';
import type { SeriesRegistry } from './series-registry.js';

/** Span is a stretch of bytes: from `start`, `end` excluded. */
export interface Span {
  start: number;
  end: number;
}

/** Identity is where a metric says in its body whose it is; the span of tags is empty when it has none. */
export interface Identity {
  readonly modelId: Span;
  readonly modelType: Span;
  readonly tags: Span;
}

interface Known {
  readonly project: string;
  readonly modelId: Buffer;
  readonly modelType: Buffer;
  readonly tags: Buffer;
  readonly series: Series;
  seenMs: number;
}

const MAX_KNOWN = 16_384;
/** The bytes are kept: tags that take more of them, say because a name comes twice, are for the parser. */
const MAX_TAG_BYTES = 1024;

/**
 * KnownSeries finds series by the bytes that name them, without making a text of any. It knows only series that the
 * registry gave to a validated metric of the same words, so that what is found needs no checking again.
 */
export class KnownSeries {
  /** By a hash; of two series with the same hash the last one asked for is here. */
  private readonly known = new Map<number, Known>();

  constructor(private readonly registry: SeriesRegistry) {}

  /** find returns the series of a metric, as seen now, or null when the registry has yet to give it one. */
  find(project: string, cursor: ByteCursor, identity: Identity, nowMs: number): Series | null {
    const hash = hashOf(cursor.bytes, identity);
    let known = this.known.get(hash);
    if (!known || known.project !== project || !isNamed(known, cursor.bytes, identity)) {
      const learned = this.learn(project, cursor.bytes, identity, nowMs);
      if (!learned) return null;
      if (this.known.size >= MAX_KNOWN) this.known.clear();
      this.known.set(hash, learned);
      known = learned;
    }
    if (known.seenMs === nowMs) return known.series;
    if (!this.registry.touch(known.series, nowMs)) {
      this.known.delete(hash);
      return null;
    }
    known.seenMs = nowMs;
    return known.series;
  }

  private learn(project: string, bytes: Buffer, { modelId, modelType, tags }: Identity, nowMs: number): Known | null {
    const type = bytes.toString('latin1', modelType.start, modelType.end);
    const given = tags.end === tags.start ? undefined : readTags(bytes.subarray(tags.start, tags.end));
    if (!isModelType(type) || given === null) return null;
    const model_id = bytes.toString('latin1', modelId.start, modelId.end);
    const series = this.registry.find(project, { model_id, model_type: type, tags: given }, nowMs);
    return (
      series && {
        ...{ project, series, seenMs: nowMs },
        modelId: copyOf(bytes, modelId),
        modelType: copyOf(bytes, modelType),
        tags: copyOf(bytes, tags),
      }
    );
  }
}

/** The bytes are those of an object without escapes; what is not one of texts is null. */
function readTags(bytes: Buffer): InferenceMetric['tags'] | null {
  if (bytes.length > MAX_TAG_BYTES || findBoundsFault(bytes)) return null;
  try {
    const tags: unknown = JSON.parse(bytes.toString('latin1'));
    return isTags(tags) ? tags : null;
  } catch {
    return null;
  }
}

function isTags(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === 'string');
}

function isModelType(text: string): text is ModelType {
  return MODEL_TYPES.some((type) => type === text);
}

function isNamed(known: Known, bytes: Buffer, { modelId, modelType, tags }: Identity): boolean {
  return (
    isAt(bytes, modelId, known.modelId) && isAt(bytes, modelType, known.modelType) && isAt(bytes, tags, known.tags)
  );
}

function isAt(bytes: Buffer, { start, end }: Span, wanted: Buffer): boolean {
  return end - start === wanted.length && equalBytes(bytes, start, wanted);
}

/** A copy, so that the body can go. */
function copyOf(bytes: Buffer, { start, end }: Span): Buffer {
  return Buffer.from(bytes.subarray(start, end));
}

/** FNV-1a; the type adds nothing to the name of a model. */
function hashOf(bytes: Buffer, { modelId, tags }: Identity): number {
  let hash = 0x811c9dc5;
  for (let i = modelId.start; i < modelId.end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  for (let i = tags.start; i < tags.end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash;
}
