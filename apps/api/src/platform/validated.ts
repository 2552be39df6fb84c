import { type ClassConstructor, plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import type { ItemCode, ItemFault } from '@tidemark/types';
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
  arrayMaxSize: 'too_many',
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
  const count = `${errors.length} ${errors.length === 1 ? 'fault' : 'faults'}`;
  return new HttpProblem('validation_failed', `${count}: ${first?.pointer || 'the body'} ${first?.message ?? ''}`, {
    errors,
  });
}

function faultsOf(error: ValidationError, parent: string): ItemFault[] {
  const pointer = `${parent}/${error.property}`;
  const infinite = notFinite(pointer, error.value);
  if (infinite) return [infinite];
  const own = Object.entries(error.constraints ?? {}).map(([constraint, message]) => ({
    pointer,
    code: error.value === undefined ? ('required' as const) : (CODES[constraint] ?? ('type' as const)),
    message: error.value === undefined ? 'is required' : message.replace(OWN_NAME, ''),
  }));
  return [...own, ...(error.children ?? []).flatMap((child) => faultsOf(child, pointer))];
}

/** class-validator begins its sentences with the name of the member, which the pointer tells already. */
const OWN_NAME = /^[a-z_]+ /;
