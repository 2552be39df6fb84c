import type { ModelType } from '@tidemark/types';
import { Type } from '@sinclair/typebox';
import { type Alert, AlertSchema, SEVERITIES } from '@tidemark/types';
import { compileSchema, type SchemaCheck } from '../ingest/schema-check.js';
import type { DriftPoint, Point, Series } from '../store/point-store.js';
import type { LiveMessage } from './live-bus.js';

/** Stands first in every message: instances of two versions run side by side while one replaces the other. */
const VERSION = 1;

/** JSON has no negative zero: it is written as text, where otherwise only a number can stand. */
type WireNumber = number | '-0';
type WireSeries = readonly [key: string, modelId: string, modelType: ModelType, tags: Series['tags']];
/** The place of its series in the message, seq, time, request, then the numbers in the order of Point. */
type WirePoint = readonly [
  ...[series: number, seq: number, timestampMs: number, requestId: string, latency: WireNumber],
  ...[WireNumber | null, WireNumber | null, WireNumber | null, WireNumber | null, WireNumber | null],
  values: Readonly<Record<string, WireNumber>> | null,
];
type WireDrift = readonly [
  ...[seq: number, timestampMs: number, modelId: string, driftType: DriftPoint['driftType']],
  ...[severity: DriftPoint['severity'], confidence: WireNumber, tags: DriftPoint['tags']],
];
/** An alert and which of its numbers are negative zero. */
type WireAlert = readonly [alert: Alert, zeros: readonly ZeroField[]];
type WireMessage =
  | readonly [typeof VERSION, 'inference', string, readonly WireSeries[], readonly WirePoint[]]
  | readonly [typeof VERSION, 'drift', string, readonly WireDrift[]]
  | readonly [typeof VERSION, 'alert', string, readonly WireAlert[]];

const ZERO_FIELDS = ['value', 'threshold', 'peak'] as const;
type ZeroField = (typeof ZERO_FIELDS)[number];

/** encodeMessage writes a message as JSON of arrays, each series once. */
export function encodeMessage(message: LiveMessage): string {
  return JSON.stringify(toWire(message));
}

/** createMessageReader compiles the schema of what instances tell each other; what does not match is null. */
export function createMessageReader(): (text: string) => LiveMessage | null {
  const check: SchemaCheck<WireMessage> = compileSchema(messageSchema());
  return function readMessage(text) {
    try {
      const value: unknown = JSON.parse(text);
      return check.accepts(value) ? fromWire(value) : null;
    } catch {
      return null;
    }
  };
}

function toWire(message: LiveMessage): WireMessage {
  switch (message.kind) {
    case 'inference': {
      const places = new Map<Series, number>();
      const points = message.items.map((point) => wirePoint(point, places));
      const series = [...places.keys()].map(
        ({ key, modelId, modelType, tags }) => [key, modelId, modelType, tags] as const,
      );
      return [VERSION, 'inference', message.project, series, points];
    }
    case 'drift':
      return [VERSION, 'drift', message.project, message.items.map(wireDrift)];
    case 'alert':
      return [VERSION, 'alert', message.project, message.items.map(wireAlert)];
  }
}

function fromWire(message: WireMessage): LiveMessage | null {
  const project = message[2];
  switch (message[1]) {
    case 'inference': {
      const series = message[3].map(([key, modelId, modelType, tags]) => ({ key, project, modelId, modelType, tags }));
      const items: Point[] = [];
      for (const wire of message[4]) {
        const of = series[wire[0]];
        if (!of) return null;
        items.push(readPoint(wire, of));
      }
      return { kind: 'inference', project, items };
    }
    case 'drift':
      return { kind: 'drift', project, items: message[3].map((wire) => readDrift(wire, project)) };
    case 'alert':
      return { kind: 'alert', project, items: message[3].map(readAlert) };
  }
}

function wirePoint(point: Point, places: Map<Series, number>): WirePoint {
  const place = places.get(point.series) ?? places.size;
  places.set(point.series, place);
  const { seq, timestampMs, requestId, latency, values } = point;
  return [
    ...([place, seq, timestampMs, requestId, signed(latency)] as const),
    ...([orNull(point.throughput), orNull(point.errorRate), orNull(point.gpuMemory)] as const),
    ...([orNull(point.cpuUsage), orNull(point.memoryUsage)] as const),
    values && mapValues(values, signed),
  ];
}

/** Plainly, one member after the other: spreads made reading eight times as slow. */
function readPoint(wire: WirePoint, series: Series): Point {
  return {
    series,
    seq: wire[1],
    timestampMs: wire[2],
    requestId: wire[3],
    latency: Number(wire[4]),
    throughput: numeric(wire[5]),
    errorRate: numeric(wire[6]),
    gpuMemory: numeric(wire[7]),
    cpuUsage: numeric(wire[8]),
    memoryUsage: numeric(wire[9]),
    values: wire[10] && mapValues(wire[10], Number),
  };
}

function wireDrift(drift: DriftPoint): WireDrift {
  const { seq, timestampMs, modelId, driftType, severity, confidence, tags } = drift;
  return [seq, timestampMs, modelId, driftType, severity, signed(confidence), tags];
}

function readDrift(wire: WireDrift, project: string): DriftPoint {
  const [seq, timestampMs, modelId, driftType, severity, confidence, tags] = wire;
  return { project, seq, timestampMs, modelId, driftType, severity, confidence: Number(confidence), tags };
}

function wireAlert(alert: Alert): WireAlert {
  return [alert, ZERO_FIELDS.filter((field) => Object.is(alert[field], -0))];
}

function readAlert([alert, zeros]: WireAlert): Alert {
  return { ...alert, ...Object.fromEntries(zeros.map((field) => [field, -0])) };
}

function signed(value: number): WireNumber {
  return Object.is(value, -0) ? '-0' : value;
}

function orNull(value: number | null): WireNumber | null {
  return value === null ? null : signed(value);
}

/** Number('-0') is negative zero. */
function numeric(value: WireNumber | null): number | null {
  return value === null ? null : Number(value);
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, to: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]));
}

function messageSchema() {
  const text = Type.String();
  const number = Type.Union([Type.Number(), Type.Literal('-0')]);
  const optional = Type.Union([number, Type.Null()]);
  const tags = Type.Record(text, text);
  const oneOf = (names: readonly string[]) => Type.Union(names.map((name) => Type.Literal(name)));
  const series = Type.Tuple([text, text, oneOf(['llm', 'cv', 'tabular']), tags]);
  const point = Type.Tuple([
    ...[Type.Integer({ minimum: 0 }), Type.Number(), Type.Number(), text, number],
    ...[optional, optional, optional, optional, optional, Type.Union([Type.Record(text, number), Type.Null()])],
  ]);
  const drift = Type.Tuple([
    ...[Type.Number(), Type.Number(), text, oneOf(['data', 'concept'])],
    ...[oneOf(SEVERITIES), number, tags],
  ]);
  const alert = Type.Tuple([AlertSchema, Type.Array(oneOf(ZERO_FIELDS))]);
  const head = (kind: string) => [Type.Literal(VERSION), Type.Literal(kind), text] as const;
  return Type.Union([
    Type.Tuple([...head('inference'), Type.Array(series), Type.Array(point)]),
    Type.Tuple([...head('drift'), Type.Array(drift)]),
    Type.Tuple([...head('alert'), Type.Array(alert)]),
  ]);
}
