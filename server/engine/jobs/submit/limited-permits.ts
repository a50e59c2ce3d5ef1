/** Assigns jobs of a lane with limits as they are stored, up to the capacity of its limits. */
import { headroomsOf, type Keys, keyHeadrooms, unitsTaken } from '../../../domain/dispatch/limit-use.ts';
import { admit } from '../../../domain/dispatch/limits.ts';
import { type LimitHeadroom, lockCapacity } from '../../dispatch/claims/limit-headroom.ts';
import type { LaneUnderLimits } from '../../ports/limits.ts';
import type { Store } from '../../ports/store.ts';
import type { NewJob, Placement } from '../../ports/submissions.ts';

/** Jobs with permits in a lane with limits. Its locks are held. */
export interface LockedPermits {
  readonly limited: LaneUnderLimits;
  readonly permitted: readonly NewJob[];
  readonly under: LimitHeadroom;
  /** Headroom of the jobs' keys. */
  readonly keys: Keys;
}

export interface Admitted extends Placement {
  /**
   * Runs after the statement that stores the jobs: takes the units of rates. `proofs`: by job id, the job that is
   * stored if and only if this one is. A job without an entry is stored.
   */
  readonly takeUnits: (proofs: ReadonlyMap<string, string>) => void;
}

/**
 * Within the transaction that stores the jobs, and before any fairness key is locked: other transactions lock a queue
 * or a definition first, and fairness keys after it. Undefined: no permit is in a lane with limits.
 */
export async function lockPermits(
  tx: Store,
  jobs: readonly NewJob[],
  { permits, limited }: Placement,
): Promise<LockedPermits | undefined> {
  const permitted = limited ? jobs.filter((job) => job.laneId === limited.laneId && permits.has(job.jobId)) : [];
  if (!limited || permitted.length === 0) return undefined;
  const sessionIds = permitted.flatMap(({ jobId }) => permits.get(jobId)?.sessionId ?? []);
  const limitIds = [...new Set(permitted.flatMap(({ limitId }) => limitId ?? []))];
  const [under, used] = await Promise.all([
    lockCapacity(tx, limited, sessionIds, {}),
    limitIds.length > 0 ? tx.readUseOfKeys(limited, limitIds) : [],
  ]);
  const keys = under.use.limits.definition?.keyLimit ? keyHeadrooms(used, under.use) : new Map();
  return { limited, permitted, under, keys };
}

/** Runs before the jobs are stored: drops the permits of jobs beyond the capacity of the limits. Those jobs wait. */
export function admitPermits(tx: Store, locked: LockedPermits | undefined, given: Placement): Admitted {
  const { permits, ranks } = given;
  if (!locked) return { ...given, takeUnits: () => {} };
  const { limited, permitted, under, keys } = locked;
  const open = permitted.filter(({ jobId }) => under.openSessions.has(permits.get(jobId)?.sessionId ?? ''));
  const most = under.isOpen ? Math.min(under.headroom.jobs, open.length) : 0;
  const candidates = open
    .map(({ jobId, limitId, rank }) => ({ jobId, limitId, rank: ranks?.get(jobId) ?? rank, bytes: 0 }))
    .sort((a, b) => a.rank - b.rank);
  const admitted = new Set(admit(candidates, headroomsOf(keys), most, 0).admitted);
  const left = new Set(permitted.flatMap(({ jobId }) => (admitted.has(jobId) ? [] : [jobId])));
  const limitIds = new Map(open.map(({ jobId, limitId }) => [jobId, limitId]));
  return {
    permits: new Map([...permits].filter(([jobId]) => !left.has(jobId))),
    ranks,
    limited,
    takeUnits: (proofs) => {
      const taken = [...admitted].map((jobId) => ({ limitId: limitIds.get(jobId), storedJobId: proofs.get(jobId) }));
      tx.takeRateUnits(unitsTaken(limited, under.use, keys, taken), under.use.nowUs);
    },
  };
}
