import type { LiveBus, LiveMessage } from './live-bus.js';

type Listener = (message: LiveMessage) => void;

/** MemoryBus is the LiveBus of a single process: listeners hear a message before `publish` returns. */
export class MemoryBus implements LiveBus {
  private readonly listeners = new Map<symbol, Listener>();
  private closed = false;

  /** `onFault` is told what a listener threw: neither the publisher nor the other listeners are. */
  constructor(private readonly onFault: (error: unknown) => void = () => undefined) {}

  publish(message: LiveMessage): void {
    for (const listener of this.listeners.values()) {
      try {
        listener(message);
      } catch (error) {
        this.tell(error);
      }
    }
  }

  subscribe(listener: Listener): () => void {
    const id = Symbol('listener');
    if (!this.closed) this.listeners.set(id, listener);
    return () => this.listeners.delete(id);
  }

  /** follow changes nothing: everything that is published is published here. */
  follow(): () => void {
    return () => undefined;
  }

  close(): Promise<void> {
    this.closed = true;
    this.listeners.clear();
    return Promise.resolve();
  }

  private tell(error: unknown): void {
    try {
      this.onFault(error);
    } catch {
      // Whoever cannot even be told of a fault must not bring down the path of a metric.
    }
  }
}
