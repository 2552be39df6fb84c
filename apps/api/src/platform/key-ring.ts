import type { Keys } from '@tidemark/state';
import type { KeyRing } from './auth.js';
import type { Clock } from './clock.js';
import type { Principal } from './principal.js';

/** A key that another process made (the command line, say) closes the door within this time. */
const RECHECK_MS = 2000;

/** StoredKeys is the KeyRing over the keys in the state database. Once any key was made, requests need one for ever. */
export class StoredKeys implements KeyRing {
  private checkedMs = 0;
  private checking = false;

  private constructor(
    private readonly keys: Keys,
    private readonly clock: Clock,
    private everCreated: boolean,
  ) {}

  /** open looks whether a key was ever made. */
  static async open(keys: Keys, clock: Clock): Promise<StoredKeys> {
    return new StoredKeys(keys, clock, await keys.everCreated());
  }

  isEmpty(): boolean {
    if (!this.everCreated && !this.checking && this.clock.steadyMs() - this.checkedMs > RECHECK_MS) void this.recheck();
    return !this.everCreated;
  }

  verify(presented: string): Promise<Principal | null> {
    return this.keys.verify(presented, this.clock.wallMs());
  }

  /** created is told of a key that this process made: from this moment requests need one. */
  created(): void {
    this.everCreated = true;
  }

  private async recheck(): Promise<void> {
    this.checking = true;
    try {
      this.everCreated = await this.keys.everCreated();
      this.checkedMs = this.clock.steadyMs();
    } catch {
      // The next request looks again; a database that cannot be read fails every request that needs it.
    } finally {
      this.checking = false;
    }
  }
}
