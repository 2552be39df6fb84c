import type { Keys } from '@tidemark/state';
import type { KeyRing } from './auth.js';
import type { Clock } from '@tidemark/program';
import type { Principal } from './principal.js';

/** A key that another process made (the command line, say) closes the door within this time. */
const RECHECK_MS = 2000;

/** StoredKeys is the KeyRing over the keys in the state database. Once any key was made, requests need one for ever. */
export class StoredKeys implements KeyRing {
  private checking: Promise<boolean> | null = null;
  private checkedMs: number;

  private constructor(
    private readonly keys: Keys,
    private readonly clock: Clock,
    private everCreated: boolean,
  ) {
    this.checkedMs = clock.steadyMs();
  }

  /** open looks whether a key was ever made. */
  static async open(keys: Keys, clock: Clock): Promise<StoredKeys> {
    return new StoredKeys(keys, clock, await keys.everCreated());
  }

  isEmpty(): boolean | Promise<boolean> {
    if (this.everCreated) return false;
    if (this.clock.steadyMs() - this.checkedMs < RECHECK_MS) return true;
    this.checking ??= this.recheck();
    return this.checking;
  }

  verify(presented: string): Promise<Principal | null> {
    return this.keys.verify(presented, this.clock.wallMs());
  }

  /** created is told of a key that this process made: from this moment requests need one. */
  created(): void {
    this.everCreated = true;
  }

  /** reload reads the keys anew after a change elsewhere, and answers who is no longer let in by what they came with. */
  async reload(): Promise<(principal: Principal) => boolean> {
    const valid = await this.keys.reload(this.clock.wallMs());
    if (await this.recheck()) return () => false;
    return ({ keyId }) => keyId === null || !valid.has(keyId);
  }

  private async recheck(): Promise<boolean> {
    try {
      if (await this.keys.everCreated()) this.everCreated = true; // it may have become true during the look
    } catch {
      // While the database is away no key is made, either: what was true stays so until it can be asked again.
    } finally {
      this.checkedMs = this.clock.steadyMs();
      this.checking = null;
    }
    return !this.everCreated;
  }
}
