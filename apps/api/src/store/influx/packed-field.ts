import { StoreFault } from '../store-fault.js';
import { unescapeText } from './text-escape.js';

/** PackedField reads a field that holds an object of our own as JSON. Its methods throw a StoreFault for what is not there. */
export class PackedField {
  private readonly content: unknown;

  constructor(stored: string) {
    try {
      this.content = JSON.parse(unescapeText(stored));
    } catch (cause) {
      throw new StoreFault('refused', 'a row of InfluxDB holds no object', { cause });
    }
  }

  number(name: string): number {
    const value = this.value(name);
    return typeof value === 'number' ? value : this.refuse(name);
  }

  text(name: string): string {
    const value = this.value(name);
    return typeof value === 'string' ? value : this.refuse(name);
  }

  flag(name: string): boolean {
    const value = this.value(name);
    return typeof value === 'boolean' ? value : this.refuse(name);
  }

  private value(name: string): unknown {
    return typeof this.content === 'object' && this.content !== null ? Reflect.get(this.content, name) : undefined;
  }

  private refuse(name: string): never {
    throw new StoreFault('refused', `a row of InfluxDB lacks ${name}`);
  }
}
