import type { Call } from './call.js';
import { isRecord } from './is-record.js';
import { putMethod } from './put-method.js';

/**
 * followIterator watches the `next`, `return` and `throw` of a sync or async iterator and answers the iterator. It ends
 * the call with the last item, with an error, or when the host leaves early, which calls `return`.
 */
export function followIterator(iterator: object, call: Call): unknown {
  if (!call.claim(iterator) || !Object.isExtensible(iterator)) return call.succeed(iterator);
  call.streams(iterator);
  for (const name of ['next', 'return', 'throw']) {
    const original: unknown = Reflect.get(iterator, name);
    // A method that is missing stays missing: for-await looks whether there is a `return`.
    if (typeof original !== 'function') continue;
    putMethod(iterator, name, function (this: unknown, ...args: unknown[]): unknown {
      return step(() => Reflect.apply(original, this, args), call);
    });
  }
  return iterator;
}

/** followIterable watches the first iteration over an async iterable that is no iterator, and answers the iterable. */
export function followIterable(iterable: object, call: Call): unknown {
  const original: unknown = Reflect.get(iterable, Symbol.asyncIterator);
  if (typeof original !== 'function' || !call.claim(iterable)) return call.succeed(iterable);
  let isFirst = true;
  const open = function (this: unknown, ...args: unknown[]): unknown {
    const iterator: unknown = Reflect.apply(original, this, args);
    if (!isFirst || !isRecord(iterator)) return iterator;
    isFirst = false;
    followIterator(iterator, call);
    call.streams(iterable);
    return iterator;
  };
  if (!putMethod(iterable, Symbol.asyncIterator, open)) call.succeed(iterable);
  return iterable;
}

function step(advance: () => unknown, call: Call): unknown {
  let answer: unknown;
  try {
    answer = advance();
  } catch (error) {
    call.fail();
    throw error;
  }
  if (answer instanceof Promise) {
    return answer.then(
      (result: unknown) => {
        note(result, call);
        return result;
      },
      (error: unknown) => {
        call.fail();
        throw error;
      },
    );
  }
  note(answer, call);
  return answer;
}

function note(result: unknown, call: Call): void {
  if (isRecord(result) && result['done'] === true) call.end();
  else call.item();
}
