/**
 * Deletes jobs past their retention, once a minute; more often while there are more of them. While the database's clock
 * has stepped nobody knows what is past it: nothing is deleted, nor by a step that the replica has yet to notice.
 */
import type { DbClock } from '../base/db-clock.ts';
import { Loop, type LoopParts } from '../loop.ts';
import type { Store } from '../ports/store.ts';

/** Replicas whose rounds coincide share the work by trying a lock. */
const EVERY_MS = 60_000;
const SOON_MS = 5_000;

export interface RetentionParts extends Pick<LoopParts, 'timers' | 'random' | 'log'> {
  readonly store: Pick<Store, 'clearExpired'>;
  readonly dbClock: Pick<DbClock, 'isSteady' | 'nowUs'>;
}

export function retentionLoop({ store, dbClock, ...parts }: RetentionParts): Loop {
  const run = async () => {
    if (!dbClock.isSteady) return SOON_MS;
    const { more, ...cleared } = await store.clearExpired({ stopped: () => loop.isStopped, latestUs: dbClock.nowUs() });
    if (cleared.days + cleared.jobs > 0) parts.log.info({ ...cleared }, 'deleted jobs past their retention');
    return more ? SOON_MS : undefined;
  };
  const loop: Loop = new Loop({ ...parts, name: 'retention', everyMs: EVERY_MS, run });
  return loop;
}
