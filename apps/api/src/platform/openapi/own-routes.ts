import { Type } from '@sinclair/typebox';
import type { RouteDoc } from './route-doc.js';

const Health = Type.Object({
  status: Type.String(),
  services: Type.Optional(Type.Record(Type.String(), Type.String())),
  pending_points: Type.Optional(Type.Integer({ description: 'Acknowledged points that InfluxDB has not got yet.' })),
  pending_since: Type.Optional(
    Type.Union([Type.String(), Type.Null()], { description: 'When the oldest of them was acknowledged.' }),
  ),
});

/** OWN_ROUTES are those of the platform itself: its health, its figures, its description. */
export const OWN_ROUTES: readonly RouteDoc[] = [
  {
    method: 'GET',
    path: '/api/v1/health',
    operationId: 'getHealth',
    tag: 'Platform',
    summary: 'How the platform is',
    answer: { status: 200, description: 'The state of each service.', schema: Health },
  },
  {
    method: 'GET',
    path: '/livez',
    operationId: 'getLiveness',
    tag: 'Platform',
    summary: 'Whether the process lives',
    answer: { status: 200, description: 'It does.', schema: Health },
  },
  {
    method: 'GET',
    path: '/readyz',
    operationId: 'getReadiness',
    tag: 'Platform',
    summary: 'Whether requests should be sent here',
    answer: { status: 200, description: 'Yes.', schema: Health },
    others: { 503: { description: 'No: it is stopping, or something it needs is away.' } },
  },
  {
    method: 'GET',
    path: '/metrics',
    operationId: 'getOwnMetrics',
    tag: 'Platform',
    summary: "Tidemark's own metrics",
    answer: { status: 200, description: 'Prometheus text format.', mediaType: 'text/plain' },
  },
  {
    method: 'GET',
    path: '/',
    operationId: 'getWelcome',
    tag: 'Platform',
    summary: 'What this is, and where to go on',
    answer: {
      status: 200,
      description: 'Paths of the documentation, this document and health.',
      schema: Type.Object({
        service: Type.Literal('tidemark'),
        docs: Type.String(),
        openapi: Type.String(),
        health: Type.String(),
      }),
    },
    others: { 302: { description: 'To /docs, for who accepts HTML.' } },
  },
  {
    method: 'GET',
    path: '/openapi.json',
    operationId: 'getOpenApi',
    tag: 'Platform',
    summary: 'This document',
    answer: { status: 200, description: 'OpenAPI 3.1.' },
  },
  {
    method: 'GET',
    path: '/docs',
    operationId: 'getDocsPage',
    tag: 'Platform',
    summary: 'This document, to read',
    answer: { status: 200, description: 'A page.', mediaType: 'text/html' },
  },
  {
    method: 'GET',
    path: '/docs/errors',
    operationId: 'getErrorsPage',
    tag: 'Platform',
    summary: 'Every problem and what to do about it',
    answer: { status: 200, description: 'A page.', mediaType: 'text/html' },
  },
];
