import { describe, expect, it } from 'vitest';
import { accessOf } from './access.js';
import { ROUTE_DOCS } from './openapi/openapi.js';

const WANTED: Readonly<Record<string, string>> = {
  'POST /api/v1/metrics/inference': 'write',
  'POST /api/v1/metrics/inference/batch': 'write',
  'POST /api/v1/metrics/drift': 'write',
  'POST /api/v1/metrics/drift/batch': 'write',
  'GET /api/v1/metrics/inference': 'read',
  'GET /api/v1/metrics/drift': 'read',
  'GET /api/v1/metrics/aggregated': 'read',
  'GET /api/v1/summary': 'read',
  'GET /api/v1/export/:what': 'read',
  'POST /api/v1/models': 'write',
  'GET /api/v1/models': 'read',
  'GET /api/v1/models/:id': 'read',
  'PUT /api/v1/models/:id': 'write',
  'DELETE /api/v1/models/:id': 'admin',
  'GET /api/v1/alerts': 'read',
  'POST /api/v1/alerts/resolve': 'write',
  'GET /api/v1/alerts/:id': 'read',
  'GET /api/v1/alerts/:id/events': 'read',
  'GET /api/v1/alerts/:id/deliveries': 'read',
  'POST /api/v1/alerts/:id/acknowledge': 'write',
  'POST /api/v1/alerts/:id/resolve': 'write',
  'GET /api/v1/channels': 'read',
  'POST /api/v1/channels': 'admin',
  'GET /api/v1/channels/:id': 'read',
  'PUT /api/v1/channels/:id': 'admin',
  'DELETE /api/v1/channels/:id': 'admin',
  'POST /api/v1/channels/:id/test': 'admin',
  'GET /api/v1/deliveries': 'read',
  'GET /api/v1/deliveries/:id': 'read',
  'POST /api/v1/deliveries/:id/replay': 'write',
  'GET /api/v1/keys': 'admin',
  'POST /api/v1/keys': 'admin',
  'DELETE /api/v1/keys/:id': 'admin',
  'POST /api/v1/live/ticket': 'read',
  'GET /api/v1/live': 'read',
  'GET /api/v1/health': 'public',
  'GET /': 'public',
  'GET /livez': 'public',
  'GET /readyz': 'public',
  'GET /metrics': 'read',
  'GET /openapi.json': 'public',
  'GET /docs': 'public',
  'GET /docs/errors': 'public',
};

describe('accessOf', () => {
  it.each(Object.entries(WANTED))('asks of %s: %s', (route, wanted) => {
    const [method = '', path = ''] = route.split(' ');
    expect(accessOf(method, path)).toBe(wanted);
  });

  it('has been thought about for every route that is described', () => {
    const described = ROUTE_DOCS.map(({ method, path }) => `${method} ${path}`);
    expect(described.filter((route) => !Object.hasOwn(WANTED, route))).toEqual([]);
  });

  it('asks of HEAD what it asks of GET, and the most of a method that changes what it does not know', () => {
    expect(accessOf('HEAD', '/api/v1/alerts')).toBe('read');
    expect(accessOf('HEAD', '/livez')).toBe('public');
    expect(accessOf('DELETE', '/api/v1/anything')).toBe('admin');
    expect(accessOf('PATCH', '/api/v1/anything')).toBe('write');
  });
});
