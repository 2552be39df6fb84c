import { afterEach, describe, expect, it, vi } from 'vitest';
import { uuid } from './uuid.js';

const V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('uuid', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('answers a version 4 UUID', () => {
    expect(uuid()).toMatch(V4);
  });

  it('answers one where the platform has none to give, as on a page that is not a secure context', () => {
    const { crypto } = globalThis;
    vi.stubGlobal('crypto', { getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes) });
    const many = new Set(Array.from({ length: 1_000 }, () => uuid()));
    expect(many.size).toBe(1_000);
    for (const id of many) expect(id).toMatch(V4);
  });
});
