import { DEFAULT_PROJECT } from '@tidemark/state';
import type { Scope } from '@tidemark/types';

/** Principal is who makes a request: every row it can touch carries its project. */
export interface Principal {
  readonly project: string;
  readonly scopes: readonly Scope[];
  /** The key's id; null for a request from this machine while no key exists. */
  readonly keyId: string | null;
}

/** OPERATOR is a person at the machine itself, before any key was made. */
export const OPERATOR: Principal = Object.freeze({
  project: DEFAULT_PROJECT,
  scopes: ['read', 'write', 'admin'] as const,
  keyId: null,
});

/** may tells whether a principal has a scope; `admin` includes the others. */
export function may(principal: Principal, scope: Scope): boolean {
  return principal.scopes.includes(scope) || principal.scopes.includes('admin');
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the handler of any route that is not public. */
    principal: Principal;
    /** The body before parsing, decompressed; null without a body. */
    rawBody: Buffer | null;
    /** What the body takes of the room for bodies, in bytes. */
    bodyBytes: number;
  }
}
