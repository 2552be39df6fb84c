import { isRecord } from './is-record.js';

/**
 * copyMetadata gives `to` what other decorators noted about `from` with the `reflect-metadata` library, where that is
 * loaded: it notes by identity, so a wrapper above them would lose the routes and guards they declared.
 */
export function copyMetadata(from: object, to: object): void {
  const reflect: unknown = Reflect;
  if (!isRecord(reflect)) return;
  const { getOwnMetadataKeys, getOwnMetadata, defineMetadata } = reflect;
  if (typeof getOwnMetadataKeys !== 'function' || typeof getOwnMetadata !== 'function') return;
  if (typeof defineMetadata !== 'function') return;
  const keys: unknown = Reflect.apply(getOwnMetadataKeys, Reflect, [from]);
  if (!Array.isArray(keys)) return;
  for (const key of keys) {
    const value: unknown = Reflect.apply(getOwnMetadata, Reflect, [key, from]);
    Reflect.apply(defineMetadata, Reflect, [key, value, to]);
  }
}
