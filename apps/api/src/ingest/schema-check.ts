import type { TSchema } from '@sinclair/typebox';
import type { ItemCode, ItemFault } from '@tidemark/types';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { notFinite } from '../platform/not-finite.js';
import { pointerTo } from './json-pointer.js';

/** SchemaCheck is a compiled schema: `accepts` is quick, `faults` tells what was wrong with a value it refused. */
export interface SchemaCheck<T> {
  accepts(value: unknown): value is T;
  faults(value: unknown): ItemFault[];
}

const CODES: Readonly<Record<string, ItemCode>> = {
  required: 'required',
  type: 'type',
  enum: 'enum',
  const: 'enum',
  minimum: 'range',
  maximum: 'range',
  exclusiveMinimum: 'range',
  exclusiveMaximum: 'range',
  minLength: 'length',
  maxLength: 'length',
  minItems: 'length',
  maxItems: 'too_many',
  maxProperties: 'too_many',
  pattern: 'format',
  format: 'format',
  additionalProperties: 'unknown_member',
};

/** compileSchema compiles a schema once, at start; all faults are collected, unknown members are let through. */
export function compileSchema<T>(schema: TSchema, options: { readonly coerce?: boolean } = {}): SchemaCheck<T> {
  const coerce = options.coerce ?? false;
  // Lengths are bounds on memory, so UTF-16 units are counted: counting code points would walk every text. Ajv logs a
  // notice about that option at each compilation; in strict mode everything else it would log is thrown.
  const lengths = { unicode: false, logger: false } as const;
  const base = {
    ...lengths,
    allowUnionTypes: true,
    strict: true,
    validateFormats: false,
    coerceTypes: coerce,
    useDefaults: coerce,
  };
  const first = new Ajv({ ...base, allErrors: false }).compile<T>(schema);
  let all: ValidateFunction<T> | null = null;
  return {
    accepts: (value: unknown): value is T => first(value),
    faults: (value: unknown) => {
      all ??= new Ajv({ ...base, allErrors: true, verbose: true }).compile<T>(schema);
      return all(value) ? [] : (all.errors ?? []).map(toFault);
    },
  };
}

function toFault(error: ErrorObject): ItemFault {
  const missing: unknown = error.params['missingProperty'];
  const pointer = typeof missing === 'string' ? pointerTo(error.instancePath, missing) : error.instancePath;
  const infinite = error.keyword === 'type' ? notFinite(pointer, error.data) : null;
  if (infinite) return infinite;
  return { pointer, code: CODES[error.keyword] ?? 'format', message: sentence(error) };
}

function sentence(error: ErrorObject): string {
  const allowed: unknown = error.params['allowedValues'];
  if (Array.isArray(allowed)) return `must be one of ${allowed.join(', ')}`;
  const extra: unknown = error.params['additionalProperty'];
  if (typeof extra === 'string') return `"${extra.slice(0, 64)}" is not a known member`;
  if (error.keyword === 'required') return 'is required';
  return error.message ?? 'is not valid';
}
