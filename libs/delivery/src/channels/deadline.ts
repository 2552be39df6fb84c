/** Deadline is an AbortSignal that is given back after use, so that nothing gathers on the signal it follows. */
export interface Deadline {
  /** Aborts when the followed signal does, or when the time is up. */
  readonly signal: AbortSignal;
  /** True once the time was up, false if the followed signal aborted first or nothing did. */
  expired(): boolean;
  /** Stops the timer and leaves the followed signal. */
  release(): void;
}

/** startDeadline follows `parent` and adds a time limit of `ms` milliseconds. */
export function startDeadline(parent: AbortSignal, ms: number): Deadline {
  const controller = new AbortController();
  let expired = false;
  const follow = (): void => controller.abort(parent.reason);
  const timer = setTimeout(() => {
    expired = true;
    controller.abort(new Error(`no answer within ${ms} ms`));
  }, ms);
  if (parent.aborted) follow();
  else parent.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    expired: () => expired,
    release: () => {
      clearTimeout(timer);
      parent.removeEventListener('abort', follow);
    },
  };
}
