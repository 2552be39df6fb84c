import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import type { defineModel as defineLegacy } from './rig/legacy-decorator.fixture.js';
import { PointSink } from './rig/point-sink.js';
import type { defineModel as defineStandard } from './rig/standard-decorator.fixture.js';

type DefineModel = typeof defineStandard | typeof defineLegacy;

const FORMS = [
  { form: 'standard', experimentalDecorators: false, emitted: '__esDecorate' },
  { form: 'legacy', experimentalDecorators: true, emitted: '__decorate' },
];

function fixture(form: string): string {
  return fileURLToPath(new URL(`./rig/${form}-decorator.fixture.ts`, import.meta.url));
}

function compile(source: string, experimentalDecorators: boolean): string {
  const target = ts.ScriptTarget.ES2022;
  const compilerOptions = { target, module: ts.ModuleKind.ESNext, experimentalDecorators };
  return ts.transpileModule(source, { compilerOptions }).outputText;
}

async function load(javascript: string): Promise<Record<string, unknown>> {
  const module: unknown = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(javascript)}`);
  return Object.fromEntries(Object.entries(Object(module)));
}

function isDefineModel(value: unknown): value is DefineModel {
  return typeof value === 'function';
}

describe.each(FORMS)('observe as a decorator in its $form form', ({ form, experimentalDecorators, emitted }) => {
  async function define(sink: PointSink): Promise<ReturnType<DefineModel>> {
    const javascript = compile(readFileSync(fixture(form), 'utf8'), experimentalDecorators);
    expect(javascript).toMatch(new RegExp(`\\b${emitted}\\(`));
    const { defineModel } = await load(javascript);
    if (!isDefineModel(defineModel)) throw new Error('the fixture exports no defineModel');
    return defineModel(sink.observe);
  }

  it('observes methods, static ones, promises and streams, with this and private fields', async () => {
    const sink = new PointSink();
    const { Model } = await define(sink);
    const model = new Model();
    expect(model.predict(3, 4)).toBe(13);
    expect([Model.load(2), Model.load(3)]).toEqual([2, 5]);
    expect(await model.answer('ab')).toBe('abab');
    const parts: string[] = [];
    for await (const part of model.stream(['x', 'y'])) parts.push(part);
    expect(parts).toEqual(['x', 'y']);
    expect(model.first(['only'])).toBe('only');
    expect(sink.points.map((point) => point['model_id'])).toEqual([
      'sync',
      'static',
      'static',
      'async',
      'stream',
      'generic',
    ]);
    expect(sink.points[0]).toMatchObject({ values: { result: 13 } });
    expect(sink.points[3]).toMatchObject({ tags: { text: 'ab' } });
    expect(sink.points[4]).toMatchObject({ values: { items: 2 } });
  });

  it('keeps name, length and place of the method, and calls through super', async () => {
    const sink = new PointSink();
    const { Model, Child } = await define(sink);
    expect([Model.prototype.predict.name, Model.prototype.predict.length]).toEqual(['predict', 2]);
    expect(Object.keys(new Model())).toEqual([]);
    expect(Object.getOwnPropertyDescriptor(Model.prototype, 'predict')).toMatchObject({
      enumerable: false,
      writable: true,
      configurable: true,
    });
    expect(new Child().predict(1, 1)).toBe(102);
    expect(sink.points).toHaveLength(1);
  });

  it('throws the very error', async () => {
    const sink = new PointSink();
    const { Model } = await define(sink);
    const error = new Error('the host knows it');
    expect(() => new Model().fail(error)).toThrow(error);
    expect(sink.errors()).toEqual([1]);
  });

  it('keeps the types, as the compiler sees them', () => {
    const options: ts.CompilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
      module: ts.ModuleKind.NodeNext,
      types: [],
      experimentalDecorators,
    };
    const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([fixture(form)], options));
    expect(diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  });

  it('leaves alone what is no method', async () => {
    const sink = new PointSink();
    const source = `export const define = (observe) => {
      class Thing { @observe({ modelId: 'm', modelType: 'llm' }) get size() { return 3; } }
      return new Thing().size;
    };`;
    const { define: run } = await load(compile(source, experimentalDecorators));
    expect(typeof run === 'function' ? run(sink.observe) : undefined).toBe(3);
    expect(sink.points).toEqual([]);
  });
});

/** withMetadata runs `body` with the part of the `reflect-metadata` library's API that decorators use. */
function withMetadata(body: (read: (key: string, target: object) => unknown) => void): void {
  const notes = new WeakMap<object, Map<string, unknown>>();
  const api = {
    getOwnMetadataKeys: (target: object) => [...(notes.get(target)?.keys() ?? [])],
    getOwnMetadata: (key: string, target: object) => notes.get(target)?.get(key),
    defineMetadata(key: string, value: unknown, target: object) {
      notes.set(target, (notes.get(target) ?? new Map<string, unknown>()).set(key, value));
    },
  };
  Object.assign(Reflect, api);
  try {
    body(api.getOwnMetadata);
  } finally {
    for (const name of Object.keys(api)) Reflect.deleteProperty(Reflect, name);
  }
}

describe('observe as a legacy decorator', () => {
  it('keeps what decorators below it noted about the method', () => {
    withMetadata((read) => {
      const predict = (): number => 1;
      const define: unknown = Reflect.get(Reflect, 'defineMetadata');
      if (typeof define === 'function') Reflect.apply(define, Reflect, ['route', '/predict', predict]);
      const decorate = new PointSink().observe({ modelId: 'm', modelType: 'llm' });
      const { value: decorated } = decorate({}, 'predict', { value: predict, configurable: true });
      if (decorated === undefined) throw new Error('the method is gone');
      expect(decorated).not.toBe(predict);
      expect(read('route', decorated)).toBe('/predict');
    });
  });
});
