import { type TSchema, Type } from '@sinclair/typebox';
import { ERROR_CODES, type ProblemCode } from '@tidemark/types';
import { accessOf } from '../access.js';
import { METRIC_ROUTES } from './metric-routes.js';
import { OWN_ROUTES } from './own-routes.js';
import { PLATFORM_ROUTES } from './platform-routes.js';
import { type AnswerDoc, isStrict, type OtherAnswerDoc, type RouteDoc } from './route-doc.js';

/** ROUTE_DOCS describe every route. */
export const ROUTE_DOCS: readonly RouteDoc[] = [...METRIC_ROUTES, ...PLATFORM_ROUTES, ...OWN_ROUTES];

/** docOf describes the route that is registered under this path; HEAD is what GET is. */
export function docOf(method: string, path: string): RouteDoc | undefined {
  const asked = method === 'HEAD' ? 'GET' : method;
  return ROUTE_DOCS.find((route) => route.method === asked && route.path === path);
}

const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    code: Type.Union(Object.keys(ERROR_CODES).map((code) => Type.Literal(code))),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), code: Type.String(), message: Type.String() })),
    ),
  },
  { title: 'Problem' },
);

/** openApi writes the OpenAPI 3.1 document of this version of the platform. */
export function openApi(version: string) {
  const schemas = new Map<string, unknown>();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of ROUTE_DOCS) {
    const path = route.path.replace(/:([a-z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidemark',
      version,
      description: 'Send metrics of your models, ask for them, and be told when a model leaves its limits.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: Object.fromEntries(schemas),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
  };
}

function operation(route: RouteDoc, schemas: Map<string, unknown>) {
  const access = accessOf(route.method, route.path);
  const isPublic = access === 'public';
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description ? { description: route.description } : {}),
    security: isPublic ? [] : [{ bearer: [access] }, { header: [access] }],
    parameters: [
      ...pathParameters(route.path),
      ...headerParameters(route.headers ?? {}),
      ...queryParameters(route.query),
    ],
    ...(route.body
      ? {
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: refer(route.body.schema, schemas), example: route.body.example },
              ...Object.fromEntries((route.body.alsoAs ?? []).map((type) => [type, { schema: { type: 'string' } }])),
            },
          },
        }
      : {}),
    responses: responses(route, isPublic, schemas),
  };
}

/** One status may mean several things: the answers of its own that a route has come first, then the problems of that status. */
function responses(route: RouteDoc, isPublic: boolean, schemas: Map<string, unknown>) {
  const codes: readonly ProblemCode[] = [
    ...(isPublic ? [] : (['unauthenticated', 'forbidden'] as const)),
    ...(isStrict(route) ? (['invalid_query'] as const) : []),
    ...(route.problems ?? []),
  ];
  const all: Record<string, ResponseDoc> = problems(codes, schemas);
  for (const [status, doc] of Object.entries({ ...route.others, [route.answer.status]: route.answer })) {
    all[status] = merged(answer(doc, schemas), all[status]);
  }
  return all;
}

interface ResponseDoc {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, unknown>>;
}

function merged(own: ResponseDoc, problem: ResponseDoc | undefined): ResponseDoc {
  if (problem === undefined) return own;
  return {
    ...problem,
    ...own,
    description: `${own.description} Or: ${problem.description}`,
    content: { ...own.content, ...problem.content },
  };
}

function answer(doc: OtherAnswerDoc, schemas: Map<string, unknown>): ResponseDoc {
  const described = { description: doc.description, ...answerHeaders(doc.headers) };
  if (!doc.schema && !doc.mediaType) return described;
  const schema = doc.schema ? refer(doc.schema, schemas) : { type: 'string' };
  const example = doc.example === undefined ? {} : { example: doc.example };
  return { ...described, content: { [doc.mediaType ?? 'application/json']: { schema, ...example } } };
}

function answerHeaders(headers: AnswerDoc['headers']) {
  if (!headers) return {};
  const described = (description: string) => ({ description, schema: { type: 'string' } });
  return {
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, described(text)] as const)),
  };
}

function problems(codes: readonly ProblemCode[], schemas: Map<string, unknown>) {
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const { status, title } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), `\`${code}\`: ${title}.`]);
  }
  const content = { 'application/problem+json': { schema: refer(ProblemSchema, schemas) } };
  return Object.fromEntries(
    [...byStatus].map(([status, lines]) => [status, { description: lines.join(' '), content }]),
  );
}

function pathParameters(path: string) {
  return [...path.matchAll(/:([a-z]+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: name === 'what' ? { type: 'string', enum: ['inference', 'drift', 'alerts'] } : { type: 'string' },
  }));
}

function headerParameters(headers: Readonly<Record<string, string>>) {
  return Object.entries(headers).map(([name, description]) => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  }));
}

function queryParameters(query: RouteDoc['query']) {
  return Object.entries(query?.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    description: schema.description,
    schema,
  }));
}

/** A schema with a title stands once under components; the others are written where they are used. */
function refer(schema: TSchema, schemas: Map<string, unknown>): unknown {
  const inlined = referInside(schema, schemas);
  if (!schema.title) return inlined;
  schemas.set(schema.title, inlined);
  return { $ref: `#/components/schemas/${schema.title}` };
}

function referInside(value: unknown, schemas: Map<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((entry) => referNested(entry, schemas));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, referNested(entry, schemas)]));
}

function referNested(value: unknown, schemas: Map<string, unknown>): unknown {
  const isTitled =
    typeof value === 'object' &&
    value !== null &&
    'title' in value &&
    typeof value.title === 'string' &&
    'type' in value;
  return isTitled ? refer(value as unknown as TSchema, schemas) : referInside(value, schemas);
}
