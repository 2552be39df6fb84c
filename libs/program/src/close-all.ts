/** Closer closes what was opened. */
export type Closer = () => Promise<void>;

/**
 * closeAll closes, last opened first; one that fails keeps no other from closing. At the end the failure is thrown, or an
 * AggregateError of all where there are several.
 */
export async function closeAll(closers: readonly Closer[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers.toReversed()) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 1) throw new AggregateError(failures, `${failures.length} things could not be closed`);
  if (failures.length === 1) throw failures[0];
}

/** openOrClose opens; where that fails it closes what `closers` holds by then, and throws why it could not be opened. */
export async function openOrClose<T>(closers: readonly Closer[], open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    // What closing has to say is of no use to whoever must hear why it did not start.
    await Promise.allSettled([closeAll(closers)]);
    throw error;
  }
}
