import { Revisions } from '@tidemark/state';
import { ChangeWatch } from '../platform/change-watch.js';
import type { Principal } from '../platform/principal.js';
import type { BacklogBoard } from '../store/backlog-board.js';
import type { Delivery } from './open-delivery.js';
import type { State } from './open-state.js';
import type { Opening } from './surroundings.js';

interface Parts {
  readonly state: State;
  readonly delivery: Delivery;
  readonly board: BacklogBoard | null;
  /** Ends what was let in by keys that are over. */
  readonly end: (isOver: (principal: Principal) => boolean) => void;
}

/** openWatch has what other instances change read anew here; alone there is nobody else. It is to be started. */
export function openWatch(
  { config, clock, log, closeLast }: Opening,
  { state, delivery, board, end }: Parts,
): ChangeWatch | null {
  if (config.databaseUrl === null) return null;
  const watch = new ChangeWatch({
    revisions: new Revisions(state.database),
    reload: {
      models: () => state.directory.load(),
      channels: async () => {
        for (const kind of await delivery.kinds.load(state.projects)) delivery.clients.want(kind);
      },
      keys: async () => end(await state.ring.reload()),
      backlogs: async () => board?.reload(),
    },
    onFault: (error) => log.warn({ err: error }, 'changes of other instances cannot be read now'),
    steadyMs: clock.steadyMs,
  });
  closeLast(() => watch.close());
  return watch;
}
