/** Key limits whose policy lets no new jobs wait: checked in the transaction that stores them, call after call. */
import { judgeLimit, noneOpen, type OpenOfKey } from '../../../domain/dispatch/limit-policy.ts';
import type { KeyLimitOfJob } from '../../ports/limits.ts';
import type { Store } from '../../ports/store.ts';
import type { Insertion, SubmitCall, SubmitResult } from '../../ports/submissions.ts';

/** Ids of open jobs that an error names. */
const MAX_IDS = 10;

/** The obstacle to those of the call's jobs that don't exist yet. Undefined: there is none. */
export async function limitObstacle(tx: Store, { call, jobs }: Insertion): Promise<SubmitResult | undefined> {
  if (!call.limits) return undefined;
  const added = new Set(jobs.map((job) => job.jobId));
  const limited = call.limits.filter(({ index }) => added.has(call.jobs[index]?.jobId ?? ''));
  return limited.length > 0 ? obstacleTo(tx, call, limited) : undefined;
}

async function obstacleTo(
  tx: Store,
  { namespace }: SubmitCall,
  limited: readonly KeyLimitOfJob[],
): Promise<SubmitResult | undefined> {
  const limits = await tx.lockKeyLimits(namespace, [...new Set(limited.map(({ definition }) => definition))]);
  const byKey = Map.groupBy(limited, ({ limitId }) => limitId);
  const open = await tx.readOpenOfLimits([...byKey.keys()]);
  const held: { index: number; jobId: string }[] = [];
  for (const [limitId, jobs] of byKey) {
    const [{ index, definition }] = jobs as [KeyLimitOfJob];
    const { policy = 'WAIT', maxConcurrency } = limits.get(definition)?.keyLimit ?? {};
    if (maxConcurrency === undefined) continue;
    const others = open.get(limitId) ?? noneOpen;
    const verdict = judgeLimit(policy, maxConcurrency, others, jobs.length);
    if (verdict.kind === 'refuse')
      return { kind: 'limitReached', index, maxConcurrency, openCount: others.openCount, openJobIds: firstIds(others) };
    if (verdict.kind === 'cancel') held.push(...verdict.jobIds.map((jobId) => ({ index, jobId })));
  }
  return held.length > 0 ? { kind: 'limitsHeld', held } : undefined;
}

function firstIds({ jobs }: OpenOfKey): string[] {
  return jobs.slice(0, MAX_IDS).map(({ jobId }) => jobId);
}
