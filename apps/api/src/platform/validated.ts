import { type ClassConstructor, plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import type { ItemCode, ItemFault } from '@tidemark/types';
import { faultDetail } from './fault-detail.js';
import { faultSentence } from './fault-sentence.js';
import { notFinite } from './not-finite.js';
import { HttpProblem } from './problem.js';

const CODES: Readonly<Record<string, ItemCode>> = {
  isDefined: 'required',
  isIn: 'enum',
  min: 'range',
  max: 'range',
  isPositive: 'range',
  minLength: 'length',
  maxLength: 'length',
  isLength: 'length',
  textLength: 'length',
  arrayMinSize: 'length',
  arrayMaxSize: 'too_many',
  matches: 'format',
  isCleanText: 'bad_text',
};

/** validated reads a body as an instance of a class with class-validator's marks, or throws a validation_failed problem. */
export function validated<T extends object>(shape: ClassConstructor<T>, body: unknown): T {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid([{ pointer: '', code: 'type', message: 'must be a JSON object' }]);
  }
  const instance = plainToInstance(shape, body);
  const errors = validateSync(instance, { whitelist: true, forbidUnknownValues: true, stopAtFirstError: true });
  if (errors.length > 0) throw invalid(errors.flatMap((error) => faultsOf(error, '')));
  return instance;
}

/** invalid is the problem of a body with these faults. */
export function invalid(errors: readonly ItemFault[]): HttpProblem {
  const [first] = errors;
  const detail = faultDetail(first?.pointer || 'the body', first?.message ?? 'is not valid', errors.length);
  return new HttpProblem('validation_failed', detail, { errors });
}

function faultsOf(error: ValidationError, parent: string): ItemFault[] {
  const pointer = `${parent}/${error.property}`;
  const infinite = notFinite(pointer, error.value);
  if (infinite) return [infinite];
  const own = Object.entries(error.constraints ?? {}).map(([constraint, message]) => ({
    pointer,
    code: error.value === undefined ? ('required' as const) : (CODES[constraint] ?? ('type' as const)),
    message: error.value === undefined ? 'is required' : faultSentence(constraint, message),
  }));
  return [...own, ...(error.children ?? []).flatMap((child) => faultsOf(child, pointer))];
}
