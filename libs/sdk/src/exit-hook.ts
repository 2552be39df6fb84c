/** Leaver is told when the process or the page is about to end. */
export interface Leaver {
  /** beforeExit: the process has nothing else to do; what it starts now is waited for. */
  beforeExit(): void;
  /** exit: the process ends, nothing asynchronous happens any more. */
  exit(): void;
  /** pageLeave: the page is hidden or unloaded and may never run again. */
  pageLeave(): void;
}

/**
 * leavers are the clients with something unsent. The listeners are shared, since Node warns the host from the eleventh
 * listener on, and gone while nothing is unsent, so that an idle client can be collected.
 */
const leavers = new Set<Leaver>();

const onBeforeExit = (): void => leavers.forEach((leaver) => leaver.beforeExit());
const onExit = (): void => leavers.forEach((leaver) => leaver.exit());
const onPageHide = (): void => leavers.forEach((leaver) => leaver.pageLeave());
const onVisibility = (): void => {
  // On phones a hidden page is often the last that is heard of it.
  if (document.visibilityState === 'hidden') onPageHide();
};

/** watchExit has `leaver` told of the end until `unwatchExit`; telling it twice changes nothing. */
export function watchExit(leaver: Leaver): void {
  if (leavers.size === 0) listen();
  leavers.add(leaver);
}

/** unwatchExit ends `watchExit`. */
export function unwatchExit(leaver: Leaver): void {
  if (leavers.delete(leaver) && leavers.size === 0) unlisten();
}

function listen(): void {
  if (hasProcess()) process.on('beforeExit', onBeforeExit).on('exit', onExit);
  if (hasPage()) {
    addEventListener('pagehide', onPageHide);
    document.addEventListener('visibilitychange', onVisibility);
  }
}

function unlisten(): void {
  if (hasProcess()) process.off('beforeExit', onBeforeExit).off('exit', onExit);
  if (hasPage()) {
    removeEventListener('pagehide', onPageHide);
    document.removeEventListener('visibilitychange', onVisibility);
  }
}

/** hasProcess tells Node from a browser, in which a bundler may have put half a `process`. */
function hasProcess(): boolean {
  return (
    typeof process !== 'undefined' && typeof process.versions?.node === 'string' && typeof process.on === 'function'
  );
}

function hasPage(): boolean {
  return typeof document !== 'undefined' && typeof addEventListener === 'function';
}
