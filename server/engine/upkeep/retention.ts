/** Deletes jobs past their retention, once a minute; more often while there are more of them. */
import { Loop, type LoopParts } from '../loop.ts';
import type { Store } from '../ports/store.ts';

/** Replicas whose rounds coincide share the work by trying a lock. */
const EVERY_MS = 60_000;
const SOON_MS = 5_000;

export interface RetentionParts extends Pick<LoopParts, 'timers' | 'random' | 'log'> {
  readonly store: Pick<Store, 'clearExpired'>;
}

export function retentionLoop({ store, ...parts }: RetentionParts): Loop {
  const run = async () => {
    const { more, ...cleared } = await store.clearExpired(() => loop.isStopped);
    if (cleared.days + cleared.jobs > 0) parts.log.info({ ...cleared }, 'deleted jobs past their retention');
    return more ? SOON_MS : undefined;
  };
  const loop: Loop = new Loop({ ...parts, name: 'retention', everyMs: EVERY_MS, run });
  return loop;
}
