/** Assigns jobs of a lane with limits as they are stored, up to the capacity of its limits. */

import { admit } from '../../domain/dispatch/limits.ts';
import type { LaneUnderLimits } from '../../engine/ports/limits.ts';
import type { NewJob, Placement } from '../../engine/ports/submissions.ts';
import type { Session, Statement } from '../driver/database.ts';
import {
  headroomsOf,
  type Keys,
  keyHeadrooms,
  type LimitHeadroom,
  lockCapacity,
  takeUnitsOf,
} from './limit-headroom.ts';
import { hasKeyRate, keyUse, keyUseRowType, mostOfKey } from './limit-use.ts';

const readKeys = {
  name: 'read_use_of_keys',
  text: `
SELECT i.limit_id, ${keyUse('i.limit_id', 'd.most', 'd.has_rate')}
FROM (
  SELECT coalesce(max(${mostOfKey('limits')}), 0) AS most, coalesce(bool_or(${hasKeyRate('limits')}), false) AS has_rate FROM definition_limits WHERE namespace = $2 AND definition = $3
) AS d, unnest($1::uuid[]) AS i (limit_id)`,
  row: { limit_id: 'uuid', ...keyUseRowType },
} satisfies Statement;

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
  session: Session,
  jobs: readonly NewJob[],
  { permits, limited }: Placement,
): Promise<LockedPermits | undefined> {
  const permitted = limited ? jobs.filter((job) => job.laneId === limited.laneId && permits.has(job.jobId)) : [];
  if (!limited || permitted.length === 0) return undefined;
  const sessionIds = permitted.flatMap(({ jobId }) => permits.get(jobId)?.sessionId ?? []);
  const limitIds = [...new Set(permitted.flatMap(({ limitId }) => limitId ?? []))];
  const [under, used] = await Promise.all([
    lockCapacity(session, limited, sessionIds, {}),
    limitIds.length > 0 ? session.run(readKeys, [limitIds, limited.namespace, limited.definition]) : [],
  ]);
  return {
    limited,
    permitted,
    under,
    keys: under.use.limits.definition?.keyLimit ? keyHeadrooms(used, under) : new Map(),
  };
}

/** Runs before the jobs are stored: drops the permits of jobs beyond the capacity of the limits. Those jobs wait. */
export function admitPermits(session: Session, locked: LockedPermits | undefined, given: Placement): Admitted {
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
      takeUnitsOf(session, limited, under, keys, taken);
    },
  };
}
