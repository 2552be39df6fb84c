/**
 * putMethod gives `target` itself the method `name`, invisible to enumeration; false where it cannot take one. What the
 * host returned keeps its identity, its class and its private fields, which a proxy around it would break.
 */
export function putMethod(target: object, name: PropertyKey, method: (...args: unknown[]) => unknown): boolean {
  return Reflect.defineProperty(target, name, { value: method, configurable: true, enumerable: false, writable: true });
}
