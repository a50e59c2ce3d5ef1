/** Assigns ready jobs: in one statement where no row has to be locked first, otherwise in a transaction. */
import type { Claim, ClaimResult } from '../../ports/dispatch.ts';
import type { Store } from '../../ports/store.ts';
import { claimDemanding } from './demanding-claim.ts';
import { freePermits } from './free-permits.ts';
import { claimLimited } from './limited-claim.ts';

export function claim(store: Store, wanted: Claim): Promise<ClaimResult> {
  const { needs, limits, suspects } = wanted;
  if (!needs && !limits && !suspects) return store.claimJobs(wanted);
  return store.together((tx) => claimIn(tx, wanted));
}

/** Within `together`. */
export async function claimIn(tx: Store, wanted: Claim): Promise<ClaimResult> {
  if (wanted.needs) return claimDemanding(tx, wanted, wanted.needs);
  const permits = wanted.suspects ? await freePermits(tx, wanted.permits) : wanted.permits;
  if (permits.length === 0) return { jobs: [], gatedLaneIds: [] };
  if (wanted.limits) return claimLimited(tx, { ...wanted, permits }, wanted.limits);
  return tx.claimJobs({ ...wanted, permits });
}
