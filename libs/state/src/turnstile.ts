/**
 * Turnstile keeps single statements out of an interactive transaction: a transaction holds it from BEGIN to COMMIT,
 * and everything else passes only while nobody does.
 */
export class Turnstile {
  private holder: Promise<void> | null = null;

  /** pass calls `send` at a moment when no transaction is open, in the same tick as the check. */
  async pass<T>(send: () => Promise<T>): Promise<T> {
    while (this.holder) await this.holder;
    return send();
  }

  /** hold waits for the transactions before it and returns the function that lets the next ones through. */
  async hold(): Promise<() => void> {
    const previous = this.holder;
    let open: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => (open = resolve));
    this.holder = mine;
    await previous;
    return () => {
      if (this.holder === mine) this.holder = null;
      open();
    };
  }
}
