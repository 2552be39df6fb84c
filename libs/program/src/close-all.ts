/** Closer closes what was opened. */
export type Closer = () => Promise<void>;

/** closeAll closes, last opened first; one that fails keeps no other from closing, and the first failure is thrown at the end. */
export async function closeAll(closers: readonly Closer[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers.toReversed()) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
