import type { Scope } from '@tidemark/types';

/** Access is what a route asks of the caller. */
export type Access = Scope | 'public';

const PUBLIC = new Set([
  '/',
  '/livez',
  '/readyz',
  '/openapi.json',
  '/docs',
  '/docs/errors',
  '/docs/:file',
  '/api/v1/health',
]);

/** ADMIN_WRITES are routes below which every change needs the admin scope. */
const ADMIN_WRITES = ['/api/v1/channels', '/api/v1/keys'];

/** accessOf tells what a route asks: the path is the route's pattern, not the URL of a request. */
export function accessOf(method: string, path: string): Access {
  if (PUBLIC.has(path)) return 'public';
  if (path.startsWith('/api/v1/keys')) return 'admin';
  if (method === 'GET' || method === 'HEAD' || path === '/api/v1/live/ticket') return 'read';
  if (method === 'DELETE' || ADMIN_WRITES.some((prefix) => path.startsWith(prefix))) return 'admin';
  return 'write';
}
