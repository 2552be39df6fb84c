/** Steps are a piece of work that pauses wherever others may have the thread, and returns its result at the end. */
export type Steps<T> = Generator<void, T, void>;

/** finish takes all steps at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
