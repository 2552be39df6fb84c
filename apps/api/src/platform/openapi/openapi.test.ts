import 'reflect-metadata';
import { PATH_METADATA, METHOD_METADATA } from '@nestjs/common/constants.js';
import { RequestMethod } from '@nestjs/common';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { HttpModule } from '../../http.module.js';
import { openApi, ROUTE_DOCS } from './openapi.js';

type Json = Record<string, unknown>;
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly { name: string; in: string; required?: boolean; schema: Json }[];
  readonly requestBody?: { content: Record<string, { schema: Json; example?: unknown }> };
  readonly responses: Record<
    string,
    { description: string; content?: Record<string, { schema: Json; example?: unknown }> }
  >;
}

const document = JSON.parse(JSON.stringify(openApi('1.2.3')));
const paths: Record<string, Record<string, Operation>> = document.paths;
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
);
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'doc', components: document.components });
const compile = (schema: Json) =>
  ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"doc#/components/')));

/** What generated clients call their functions by: a name that was given stays. */
const OPERATION_IDS: Readonly<Record<string, string>> = {
  'POST /api/v1/models': 'registerModel',
  'GET /api/v1/models': 'listModels',
  'GET /api/v1/models/{id}': 'getModel',
  'PUT /api/v1/models/{id}': 'putModel',
  'DELETE /api/v1/models/{id}': 'deleteModel',
  'POST /api/v1/metrics/inference': 'sendInference',
  'POST /api/v1/metrics/inference/batch': 'sendInferenceBatch',
  'POST /api/v1/metrics/drift': 'sendDrift',
  'POST /api/v1/metrics/drift/batch': 'sendDriftBatch',
  'GET /api/v1/metrics/inference': 'listInferences',
  'GET /api/v1/metrics/drift': 'listDrifts',
  'GET /api/v1/metrics/aggregated': 'aggregateMetrics',
  'GET /api/v1/summary': 'getSummary',
  'GET /api/v1/export/{what}': 'exportRecords',
  'GET /api/v1/alerts': 'listAlerts',
  'POST /api/v1/alerts/resolve': 'resolveAlertByBody',
  'GET /api/v1/alerts/{id}': 'getAlert',
  'GET /api/v1/alerts/{id}/events': 'listAlertEvents',
  'GET /api/v1/alerts/{id}/deliveries': 'listAlertDeliveries',
  'POST /api/v1/alerts/{id}/acknowledge': 'acknowledgeAlert',
  'POST /api/v1/alerts/{id}/resolve': 'resolveAlert',
  'GET /api/v1/channels': 'listChannels',
  'POST /api/v1/channels': 'createChannel',
  'GET /api/v1/channels/{id}': 'getChannel',
  'PUT /api/v1/channels/{id}': 'updateChannel',
  'DELETE /api/v1/channels/{id}': 'deleteChannel',
  'POST /api/v1/channels/{id}/test': 'testChannel',
  'GET /api/v1/deliveries': 'listDeliveries',
  'GET /api/v1/deliveries/{id}': 'getDelivery',
  'POST /api/v1/deliveries/{id}/replay': 'replayDelivery',
  'GET /api/v1/keys': 'listKeys',
  'POST /api/v1/keys': 'createKey',
  'DELETE /api/v1/keys/{id}': 'revokeKey',
  'GET /api/v1/live': 'openLiveFeed',
  'POST /api/v1/live/ticket': 'createLiveTicket',
  'GET /api/v1/health': 'getHealth',
  'GET /livez': 'getLiveness',
  'GET /readyz': 'getReadiness',
  'GET /metrics': 'getOwnMetrics',
  'GET /': 'getWelcome',
  'GET /openapi.json': 'getOpenApi',
  'GET /docs': 'getDocsPage',
  'GET /docs/errors': 'getErrorsPage',
};

/** Every route that Nest registers, as the decorators of the controllers say. */
function registered(): string[] {
  const controllers: (new (...args: never[]) => object)[] = Reflect.getMetadata('controllers', HttpModule);
  return controllers.flatMap((controller) => {
    const prefix: string = Reflect.getMetadata(PATH_METADATA, controller);
    const names = Object.getOwnPropertyNames(controller.prototype).filter((name) => name !== 'constructor');
    return names.flatMap((name) => {
      const handler: object = Reflect.get(controller.prototype, name);
      const path: string | undefined = Reflect.getMetadata(PATH_METADATA, handler);
      if (path === undefined) return [];
      const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler)];
      return [
        `${method} /${[prefix, path]
          .map((part) => part.replace(/^\/|\/$/g, ''))
          .filter((part) => part !== '')
          .join('/')}`,
      ];
    });
  });
}

describe('the OpenAPI document', () => {
  it('describes every route there is, and no other', () => {
    const described = ROUTE_DOCS.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(described).size).toBe(described.length);
    // The files of the page itself are no part of the API.
    expect(
      registered()
        .filter((route) => route !== 'GET /docs/:file')
        .sort(),
    ).toEqual(described.sort());
  });

  it('names every operation once, by a verb and a noun, for good', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(operations.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+([A-Z][a-z]+)+$/);
    expect(Object.fromEntries(operations.map(({ name, operation }) => [name, operation.operationId]))).toEqual(
      OPERATION_IDS,
    );
  });

  it('says its version and that of OpenAPI', () => {
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Tidemark', version: '1.2.3' } });
  });

  it('refers to nothing that it does not hold', () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name,
    );
    expect(references.length).toBeGreaterThan(20);
    expect(references.filter((name) => !Object.hasOwn(document.components.schemas, name ?? ''))).toEqual([]);
  });

  it.each(Object.keys(document.components.schemas))('holds a schema of %s that is whole', (name) => {
    expect(() => ajv.compile({ $ref: `doc#/components/schemas/${name}` })).not.toThrow();
  });

  it.each(operations)('tells of $name all that a reader needs', ({ name, operation }) => {
    expect(operation.summary).toMatch(/^\S.*[^.]$/);
    expect(operation.tags).toHaveLength(1);
    const inPath = [...name.matchAll(/\{([a-z]+)\}/g)].map(([, parameter]) => parameter);
    expect(
      operation.parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name),
    ).toEqual(inPath);
    expect(Object.keys(operation.responses).some((status) => /^(101|2..)$/.test(status))).toBe(true);
    for (const { schema } of operation.parameters) expect(() => compile(schema)).not.toThrow();
    for (const [status, { description, content }] of Object.entries(operation.responses)) {
      expect(status).toMatch(/^(101|[2-5]\d\d)$/);
      expect(description).not.toBe('');
      for (const { schema } of Object.values(content ?? {})) expect(() => compile(schema)).not.toThrow();
    }
  });

  it.each(
    ROUTE_DOCS.flatMap(({ method, path, others = {} }) =>
      Object.keys(others).map((status) => ({ method, path, status })),
    ),
  )(
    'says what $method $path answers with $status, whatever problems have that status too',
    ({ method, path, status }) => {
      const doc = ROUTE_DOCS.find((route) => route.method === method && route.path === path);
      const described = paths[path]?.[method.toLowerCase()]?.responses[status]?.description;
      expect(described?.startsWith(doc?.others?.[Number(status)]?.description ?? 'nothing')).toBe(true);
    },
  );

  it.each(['inference', 'drift'])('tells the two answers of a batch of %s that are 422 apart', (kind) => {
    const answers = paths[`/api/v1/metrics/${kind}/batch`]?.post?.responses;
    expect(answers?.[422]?.description).toMatch(/^No item was valid; nothing was stored\. Or: `invalid_query`: /);
    expect(answers?.[422]?.description).toMatch(/`validation_failed`: .*`idempotency_mismatch`: /);
    const batch = { schema: { $ref: '#/components/schemas/BatchAnswer' } };
    expect(answers?.[422]?.content).toEqual({
      'application/json': batch,
      'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
    });
    expect(answers?.[207]?.content).toEqual({ 'application/json': batch });
  });

  const bodies = operations.flatMap(({ name, operation }) => [
    ...Object.entries(operation.requestBody?.content ?? {}).map(([type, media]) => ({
      of: `${name}, request as ${type}`,
      ...media,
    })),
    ...Object.entries(operation.responses).flatMap(([status, { content }]) =>
      Object.entries(content ?? {}).map(([type, media]) => ({ of: `${name}, answer ${status} as ${type}`, ...media })),
    ),
  ]);

  it.each(bodies.filter(({ example }) => example !== undefined))(
    'gives an example of $of that is valid',
    ({ schema, example }) => {
      const validate = compile(schema);
      validate(example);
      expect(validate.errors ?? []).toEqual([]);
    },
  );

  it('gives an example of every JSON that it asks for', () => {
    const asked = operations.flatMap(({ name, operation }) => {
      const json = operation.requestBody?.content['application/json'];
      return json ? [[name, json.example !== undefined]] : [];
    });
    expect(asked.length).toBeGreaterThan(8);
    expect(asked.filter(([, has]) => !has)).toEqual([]);
  });
});
