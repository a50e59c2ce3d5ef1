/** Claims the probe of a circuit breaker. */
import { isProbeDue, withProbe } from '../../domain/retries/circuit-breaker.ts';
import { claimIn } from '../dispatch/claims/claim.ts';
import type { BreakerKey, ProbeClaim } from '../ports/breakers.ts';
import type { ClaimedJob } from '../ports/dispatch.ts';
import type { Store } from '../ports/store.ts';

/**
 * Claims one job as the probe, if one is due, by the database's clock and by `latestUs`: in one transaction with the
 * breaker's new state, so never two probes.
 */
export function probeBreaker(
  store: Store,
  key: BreakerKey,
  claim: ProbeClaim,
  latestUs: number,
): Promise<ClaimedJob | undefined> {
  return store.together(async (tx) => {
    const locked = await tx.lockBreakerToProbe(key);
    if (!locked || !isProbeDue(locked.breaker, Math.min(locked.nowUs, latestUs))) return undefined;
    // A claim whose byte bound is 0 takes one job.
    const { jobs } = await claimIn(tx, { ...claim, maxBytes: 0, probes: true });
    const [job] = jobs;
    if (!job) return undefined;
    const { jobId, attempt } = job;
    await tx.writeBreakers([{ ...locked.breaker, ...withProbe(locked.breaker, { jobId, attempt }) }]);
    return job;
  });
}
