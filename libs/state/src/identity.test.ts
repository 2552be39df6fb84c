import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deliveryId, eventId, type EventIdentity, newId } from './identity.js';

const fired: EventIdentity = {
  project: 'p',
  modelId: 'm',
  rule: 'latency',
  incident: 1,
  event: 'fired',
  severity: 'low',
};

describe('an event id', () => {
  it('is the same in every process and release', () => {
    expect(eventId(fired)).toBe('85b8633ad2a9724166d0cd5fc4058360');
    expect(eventId({ ...fired, ordinal: 0 })).toBe(eventId(fired));
  });

  it('differs as soon as any part differs, also when the parts run together to the same text', () => {
    const part = fc.string({ maxLength: 3 });
    const identity = fc.record({
      project: part,
      modelId: part,
      rule: part,
      incident: fc.nat(3),
      event: part,
      severity: part,
      ordinal: fc.nat(2),
    });
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        expect(eventId(a) === eventId(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
        expect(eventId(a)).toMatch(/^[0-9a-f]{32}$/);
      }),
    );
    expect(eventId({ ...fired, project: 'pm', modelId: '' })).not.toBe(
      eventId({ ...fired, project: '', modelId: 'pm' }),
    );
  });

  it('gives each channel a delivery id of its own', () => {
    expect(deliveryId('e', 'c1')).not.toBe(deliveryId('e', 'c2'));
    expect(deliveryId('e', 'c1')).toBe(deliveryId('e', 'c1'));
  });
});

describe('a new id', () => {
  it('is 16 random bytes as hex', () => {
    expect(newId((bytes) => new Uint8Array(bytes).fill(171))).toBe('ab'.repeat(16));
  });
});
