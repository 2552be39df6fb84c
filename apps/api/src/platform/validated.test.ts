import { describe, expect, test } from 'vitest';
import { validated } from './validated.js';

class Shape {}

describe('validated', () => {
  test.each([[null], [undefined], [[]], ['text'], [5]])('refuses %j as a body in one plain sentence', (body) => {
    expect(() => validated(Shape, body)).toThrow(/^the body must be a JSON object$/);
  });
});
