import type { LiveBus, LiveMessage } from './live-bus.js';

/** MemoryBus is the LiveBus of a single process. */
export class MemoryBus implements LiveBus {
  private readonly listeners = new Set<(message: LiveMessage) => void>();

  publish(message: LiveMessage): void {
    for (const listener of this.listeners) listener(message);
  }

  subscribe(listener: (message: LiveMessage) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): Promise<void> {
    this.listeners.clear();
    return Promise.resolve();
  }
}
