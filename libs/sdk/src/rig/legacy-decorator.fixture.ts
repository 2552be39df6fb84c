import type { Observe } from '../observe-options.js';

/** defineModel answers a class whose methods are decorated as experimentalDecorators has it. */
export function defineModel(observe: Observe) {
  class Model {
    static loaded = 0;
    readonly #bias = 1;

    @observe({ modelId: 'static', modelType: 'cv' })
    static load(count: number): number {
      this.loaded += count;
      return this.loaded;
    }

    @observe({ modelId: 'sync', modelType: 'llm', values: (_, result) => ({ result: Number(result) }) })
    predict(amount: number, factor: number): number {
      return amount * factor + this.#bias;
    }

    @observe({ modelId: 'async', modelType: 'llm', tags: ([text]: readonly [string]) => ({ text }) })
    async answer(text: string): Promise<string> {
      return Promise.resolve(text.repeat(this.#bias + 1));
    }

    @observe({ modelId: 'stream', modelType: 'llm' })
    async *stream(parts: readonly string[]): AsyncGenerator<string> {
      yield* parts;
    }

    @observe({ modelId: 'generic', modelType: 'llm' })
    first<T>(items: readonly T[]): T | undefined {
      return items[this.#bias - 1];
    }

    @observe({ modelId: 'failing', modelType: 'tabular' })
    fail(error: Error): never {
      throw error;
    }
  }

  class Child extends Model {
    override predict(amount: number, factor: number): number {
      return super.predict(amount, factor) + 100;
    }
  }

  // @ts-expect-error: the decorated method still takes numbers only.
  const misuse = (model: Model): number => model.predict('1', 2);
  const generic = (model: Model): string | undefined => model.first(['a']);
  class Mistyped {
    // @ts-expect-error: the tags are made of a text, the method takes a number.
    @observe({ modelId: 'm', modelType: 'llm', tags: ([text]: readonly [string]) => ({ text }) })
    run(amount: number): number {
      return amount;
    }
  }
  return { Model, Child, Mistyped, generic, misuse };
}
