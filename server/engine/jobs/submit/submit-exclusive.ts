/** Stores calls that may be refused because of other stored jobs. */
import { obstacleOf } from '../../../domain/jobs/idempotency-key.ts';
import type { Change } from '../../../domain/jobs/run.ts';
import { addMembers, type OpenBatch, openBatch, pauseMembers, withParents } from '../../batches/members.ts';
import { withParent } from '../../dependencies/adopt-children.ts';
import { linkJobs, storeLinks } from '../../dependencies/link-jobs.ts';
import type { ManualChange } from '../../ports/namespaces.ts';
import type { Store } from '../../ports/store.ts';
import type { Insertion, SubmitCall, SubmitResult } from '../../ports/submissions.ts';
import { applyRules, type Ruled, replaceWaiting } from './apply-rules.ts';
import { insertCalls } from './insert-calls.ts';
import { takeKeys, withOwners } from './key-owners.ts';
import { limitObstacle } from './limit-obstacle.ts';
import { findSubmission, type StoredResult, stored } from './stored-calls.ts';

/**
 * Calls that concurrent calls can make fail: with keys, limits, a batch, dependencies or a parent; also manual changes.
 */
export const isExclusive = ({ keys, rules, limits, batchJobId, isDependent, parentAttempt, manual }: SubmitCall) =>
  keys.length > 0 ||
  rules !== undefined ||
  limits !== undefined ||
  batchJobId !== undefined ||
  isDependent === true ||
  parentAttempt !== undefined ||
  manual !== undefined;

/** Thrown to roll the transaction back. */
class Refused extends Error {
  readonly result: SubmitResult;
  constructor(result: SubmitResult) {
    super(result.kind);
    this.result = result;
  }
}

/** In its own transaction, so that a refusal releases its keys. */
export async function submitExclusive(store: Store, call: SubmitCall): Promise<SubmitResult> {
  const before = await findSubmission(store, call);
  if (before) return before;
  try {
    return await store.together((tx) => submitOne(tx, call));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return (await findSubmission(store, call)) ?? error.result;
  }
}

/** Takes its locks in this order: batch, keys, runs that its rules replace, limits, parent, targets. */
async function submitOne(tx: Store, call: SubmitCall): Promise<SubmitResult> {
  const batch = accepted(await openBatch(tx, call));
  const owners = await takeKeys(tx, call);
  refuse(obstacleOf(call, owners));
  const owned = withOwners(call, owners);
  const ruled = accepted(await applyRules(tx, owned));
  const insertion = ruled?.insertion ?? owned;
  refuse(await limitObstacle(tx, insertion));
  const joined = accepted(await withFamily(tx, insertion, batch));
  const linked = accepted(await linkAll(tx, call, joined));
  const inserted = await insertCalls(tx, [linked?.insertion ?? joined]);
  // The same request id was stored since the read above: the keys we took must not stay.
  if (call.requestId && inserted.first.size === 0) throw new Refused({ kind: 'requestIdReused' });
  if (batch) await addMembers(tx, batch, joined);
  if (call.manual && joined.jobs.length > 0) await writeManualChange(tx, call.manual);
  const skipped = linked ? await storeLinks(tx, call, linked) : [];
  if (batch?.paused) await pauseMembers(tx, batch, joined);
  const result = withEnded(stored(insertion, new Set(), inserted.ranks), skipped);
  return ruled ? settleRuled(tx, { owned, ruled, result }) : result;
}

function refuse(obstacle: SubmitResult | undefined): void {
  if (obstacle) throw new Refused(obstacle);
}

/** Throws what refuses the call. */
function accepted<T extends object | undefined>(found: T | SubmitResult): Exclude<T, SubmitResult> {
  if (found && 'kind' in found) throw new Refused(found);
  return found as Exclude<T, SubmitResult>;
}

/** Makes the jobs members of their batch, or children of the job whose handler submits them. */
async function withFamily(tx: Store, insertion: Insertion, batch: OpenBatch | undefined) {
  if (batch) return withParents(insertion, batch);
  return insertion.call.parentAttempt ? withParent(tx, insertion, insertion.call.parentAttempt) : insertion;
}

/** Links the jobs' dependencies, once nothing else blocks the call. Undefined: the jobs have none. */
async function linkAll(tx: Store, call: SubmitCall, joined: Insertion) {
  if (!call.isDependent) return undefined;
  const error = await call.refuseCycles?.(tx.dependencies);
  return error ? { kind: 'dependencyRefused' as const, error } : linkJobs(tx, call, joined);
}

async function writeManualChange(tx: Store, { records, steps }: ManualChange): Promise<void> {
  await Promise.all([tx.insertAudits(records), tx.workflows.writeSteps(steps)]);
}

function withEnded(result: StoredResult, ended: readonly Change[]): StoredResult {
  return ended.length > 0 ? { ...result, replaced: { changes: ended } } : result;
}

/** Runs once the jobs are stored: carries out the remaining effects of their rules. */
async function settleRuled(
  tx: Store,
  { owned, ruled, result }: { readonly owned: Insertion; readonly ruled: Ruled; readonly result: StoredResult },
): Promise<SubmitResult> {
  const { call, jobIds, existing, jobs } = ruled.insertion;
  const isDuplicate = (i: number) => existing[i] === true && !owned.existing[i];
  // An idempotency key that was taken for a duplicate is pointed to the existing job.
  const pointed = call.keys.flatMap(({ index, key }) =>
    isDuplicate(index) ? [{ key, jobId: jobIds[index] as string }] : [],
  );
  if (pointed.length > 0) await tx.pointIdempotencyKeys(call.namespace, pointed);
  const superseded = await replaceWaiting(tx, call.namespace, ruled.superseded);
  const dueUs = jobs.reduce((due, { runTimeUs }) => Math.min(due, runTimeUs ?? due), Number.POSITIVE_INFINITY);
  return {
    ...result,
    jobs: result.jobs.map((job, i) => (isDuplicate(i) ? { ...job, duplicate: true } : job)),
    replaced: { changes: [...(result.replaced?.changes ?? []), ...ruled.replaced, ...superseded], dueUs },
  };
}
