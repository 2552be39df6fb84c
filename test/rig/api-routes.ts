import type { Client, Json } from './client.js';

/** ApiRoute is one operation of the OpenAPI document. */
export interface ApiRoute {
  readonly method: string;
  /** With `{id}` where an id goes. */
  readonly path: string;
  /** The scope it asks for; null for a route that is open to all. */
  readonly scope: string | null;
  /** The body of its example; undefined if it takes none. */
  readonly example: unknown;
}

/** apiRoutes reads every route that the platform says it has, so that a new one is tested without being named. */
export async function apiRoutes(api: Client): Promise<ApiRoute[]> {
  const document = await api.must(api.get('/openapi.json'));
  return Object.entries<Json>(document.paths).flatMap(([path, operations]) =>
    Object.entries<Json>(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      scope: operation.security[0]?.bearer[0] ?? null,
      example: operation.requestBody?.content['application/json'].example,
    })),
  );
}
