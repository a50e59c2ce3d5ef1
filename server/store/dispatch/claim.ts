/** Assigns ready jobs: in one statement where no row has to be locked first, otherwise in a transaction. */
import type { Claim, ClaimResult } from '../../engine/ports/dispatch.ts';
import type { Database, Session } from '../driver/database.ts';
import { claimDemanding } from './claim-demanding.ts';
import { claimJobs } from './claim-jobs.ts';
import { claimLimited } from './claim-limited.ts';
import { freePermits } from './claim-suspects.ts';

export function claim(database: Database, wanted: Claim): Promise<ClaimResult> {
  const { needs, limits, suspects } = wanted;
  if (!needs && !limits && !suspects) return claimJobs(database, wanted);
  return database.transaction((session) => claimIn(session, wanted));
}

/** Within a transaction. */
export async function claimIn(session: Session, wanted: Claim): Promise<ClaimResult> {
  if (wanted.needs) return claimDemanding(session, wanted, wanted.needs);
  const permits = wanted.suspects ? await freePermits(session, wanted.permits) : wanted.permits;
  if (permits.length === 0) return { jobs: [], gatedLaneIds: [] };
  if (wanted.limits) return claimLimited(session, { ...wanted, permits }, wanted.limits);
  return claimJobs(session, { ...wanted, permits });
}
