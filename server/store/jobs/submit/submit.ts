/** Submissions: calls flushed together, each all or nothing, with request ids and idempotency keys. */
import { type KeyOwners, obstacleOf } from '../../../domain/jobs/idempotency-key.ts';
import type { Change } from '../../../domain/jobs/run.ts';
import type { Permit } from '../../../engine/ports/dispatch.ts';
import type {
  Inserted,
  Insertion,
  NewJob,
  Placement,
  SubmitCall,
  SubmitResult,
} from '../../../engine/ports/submissions.ts';
import { addMembers, type OpenBatch, openBatch, withParents } from '../../batches/batch-members.ts';
import { withParent } from '../../dependencies/children.ts';
import { linkJobs, storeLinks } from '../../dependencies/dependencies.ts';
import { dependencyStore } from '../../dependencies/dependency-walk.ts';
import type { FairRanks } from '../../dispatch/fair-ranks.ts';
import { limitObstacle } from '../../dispatch/limit-policies.ts';
import { admitPermits, lockPermits } from '../../dispatch/limited-permits.ts';
import type { Database, Session } from '../../driver/database.ts';
import { countFirstAttempts } from '../../retries/retry-budgets.ts';
import { writeManualChange } from '../change/manual-changes.ts';
import { findJobs } from '../read/read-jobs.ts';
import { pointKeys, readOwners, takeKeys } from './idempotency-keys.ts';
import { insertJobs } from './insert-jobs.ts';
import { applyRules, type Ruled, replaceWaiting, withHolders } from './submission-rules.ts';
import { noRanks, readRepeated, repeated, requestKey, stored } from './submit-answers.ts';

function insertionOf(call: SubmitCall): Insertion {
  return { call, jobs: call.jobs, jobIds: call.jobs.map((job) => job.jobId), existing: call.jobs.map(() => false) };
}

/** The dependencies of submissions. */
export interface SubmitStore {
  readonly database: Database;
  readonly fairRanks: FairRanks;
}

const ROWS_PER_STATEMENT = 1000;

const noPermits: Placement = { permits: new Map() };

/** A large call takes several statements of one transaction. Its request id goes with the first. */
async function insertLarge(
  session: Session,
  insertion: Insertion,
  ranks: ReadonlyMap<string, number>,
): Promise<Inserted> {
  const { jobs } = insertion;
  const inserted = await insertJobs(session, [{ ...insertion, jobs: jobs.slice(0, ROWS_PER_STATEMENT) }], { ranks });
  if (insertion.call.requestId && inserted.first.size === 0) return inserted;
  const rest: SubmitCall = { namespace: insertion.call.namespace, jobs: [], keys: [] };
  for (let at = ROWS_PER_STATEMENT; at < jobs.length; at += ROWS_PER_STATEMENT) {
    await insertJobs(session, [{ ...insertion, call: rest, jobs: jobs.slice(at, at + ROWS_PER_STATEMENT) }], { ranks });
  }
  return inserted;
}

/** A job that is to start at a later time gets its turn at that time. */
function isFair(job: NewJob): job is NewJob & { readonly fairnessKey: string } {
  return job.fairnessKey !== undefined && job.state === 'READY';
}

/** The inserted jobs, with their ranks and permits. */
interface Placed extends Inserted {
  readonly ranks: ReadonlyMap<string, number>;
  /** Ids of the jobs that were assigned, if their calls were stored. */
  readonly assigned: ReadonlySet<string>;
}

/**
 * One statement, one round trip, except for large calls, and for jobs with a fairness key, a retry budget or limits.
 */
async function insertAll(
  { database, fairRanks }: SubmitStore,
  session: Session,
  insertions: readonly Insertion[],
  given: Placement = noPermits,
): Promise<Placed> {
  const [first] = insertions;
  const large = first && first.jobs.length > ROWS_PER_STATEMENT ? first : undefined;
  const isMore = insertions.some(({ jobs }) => jobs.some((job) => job.hasRetryBudget || isFair(job)));
  if (!large && !isMore && !given.limited) {
    const inserted = await insertJobs(session, insertions, given);
    return { ...inserted, ranks: noRanks, assigned: assignedOf(insertions, inserted, given.permits) };
  }
  const work = async (inner: Session) => {
    const jobs = insertions.flatMap((insertion) => insertion.jobs);
    // The locks must be taken in this order.
    const [locked, ranks] = await Promise.all([
      lockPermits(inner, jobs, given),
      fairRanks.rank(inner, jobs.filter(isFair)),
    ]);
    const { takeUnits, ...permitted } = admitPermits(inner, locked, { ...given, ranks });
    const inserting = large ? insertLarge(inner, large, ranks) : insertJobs(inner, insertions, permitted);
    takeUnits(proofsOf(insertions));
    // The answer comes with that of the COMMIT, unless a later statement needs it.
    inserting.catch(() => {});
    if (large || jobs.some((job) => job.hasRetryBudget)) {
      const { first: stored } = await inserting;
      await countFirstAttempts(
        inner,
        storedOf(insertions, stored).flatMap((insertion) => insertion.jobs),
      );
    }
    return { inserting, ranks, permits: permitted.permits };
  };
  const { inserting, ranks, permits } = await (session === database ? database.transaction(work) : work(session));
  const inserted = await inserting;
  return { ...inserted, ranks, assigned: assignedOf(storedOf(insertions, inserted.first), inserted, permits) };
}

/** The calls that were stored now, not by an earlier call with the request id. */
function storedOf(insertions: readonly Insertion[], first: Inserted['first']): Insertion[] {
  return insertions.filter(({ call }) => !call.requestId || first.has(call));
}

/** A call with a request id is stored as a whole, or not at all: so its first job proves that the others are stored. */
function proofsOf(insertions: readonly Insertion[]): Map<string, string> {
  const proofs = new Map<string, string>();
  for (const { call, jobs } of insertions)
    if (call.requestId) for (const { jobId } of jobs) proofs.set(jobId, jobs[0]?.jobId as string);
  return proofs;
}

function assignedOf(
  insertions: readonly Insertion[],
  { openSessions, openLanes }: Inserted,
  permits: ReadonlyMap<string, Permit>,
): Set<string> {
  if (permits.size === 0) return new Set();
  const isAssigned = ({ jobId, laneId }: NewJob) =>
    openSessions.has(permits.get(jobId)?.sessionId ?? '') && openLanes.has(laneId);
  return new Set(insertions.flatMap(({ jobs }) => jobs.filter(isAssigned).map((job) => job.jobId)));
}

/** The calls whose request id comes for the first time in this flush. */
function firstTries(calls: readonly SubmitCall[]): Set<SubmitCall> {
  const seen = new Set<string>();
  return new Set(
    calls.filter((call) => {
      if (!call.requestId) return true;
      const key = requestKey(call.namespace, call.requestId);
      return !seen.has(key) && seen.add(key);
    }),
  );
}

/** Calls without idempotency keys: one statement, one round trip; a second one only for repeated request ids. */
async function submitPlain(
  store: SubmitStore,
  calls: readonly SubmitCall[],
  permits: Placement,
): Promise<SubmitResult[]> {
  const { database } = store;
  const first = firstTries(calls);
  const insertions = calls.filter((call) => first.has(call)).map(insertionOf);
  const inserted = await insertAll(store, database, insertions, permits);
  const isStored = (call: SubmitCall) => first.has(call) && (!call.requestId || inserted.first.has(call));
  const { assigned } = inserted;
  const rows = await readRepeated(
    database,
    calls.filter((call) => !isStored(call)),
  );
  return calls.map((call) => {
    if (isStored(call)) return stored(insertionOf(call), assigned, inserted.ranks);
    const row = rows.get(requestKey(call.namespace, call.requestId as string));
    if (!row) throw new Error('a request id can neither be taken nor found: it was deleted meanwhile; repeat the call');
    return repeated(call, row);
  });
}

/** Replaces jobs that already exist with the holders of their keys. */
function withOwners(
  call: SubmitCall,
  owners: KeyOwners,
  isStored: (jobId: string) => boolean = () => false,
): Insertion {
  const jobIds = call.jobs.map(({ jobId, idempotencyKey }) =>
    idempotencyKey && !isStored(jobId) ? (owners.get(idempotencyKey)?.jobId ?? jobId) : jobId,
  );
  const existing = call.jobs.map((job, i) => jobIds[i] !== job.jobId);
  return { call, jobs: call.jobs.filter((_, i) => !existing[i]), jobIds, existing };
}

class Refused extends Error {
  readonly result: SubmitResult;
  constructor(result: SubmitResult) {
    super(result.kind);
    this.result = result;
  }
}

/** The obstacle to those of its jobs that don't exist yet. */
function newOnes(session: Session, { call, jobs }: Insertion): Promise<SubmitResult | undefined> | undefined {
  if (!call.limits) return undefined;
  const added = new Set(jobs.map((job) => job.jobId));
  const limits = call.limits.filter(({ index }) => added.has(call.jobs[index]?.jobId ?? ''));
  return limits.length > 0 ? limitObstacle(session, { ...call, limits }) : undefined;
}

/**
 * Calls that concurrent calls can make fail: with keys, limits, a batch, dependencies or a parent; also manual changes.
 */
const isExclusive = ({ keys, rules, limits, batchJobId, isDependent, parentAttempt, manual }: SubmitCall) =>
  keys.length > 0 ||
  rules !== undefined ||
  limits !== undefined ||
  batchJobId !== undefined ||
  isDependent === true ||
  parentAttempt !== undefined ||
  manual !== undefined;

/**
 * A call that may be refused because of other stored jobs: in its own transaction, so that a refusal releases its keys.
 */
async function submitExclusive(store: SubmitStore, call: SubmitCall): Promise<SubmitResult> {
  const { database } = store;
  const repeats = call.requestId ? [call] : [];
  const before = (await readRepeated(database, repeats)).values().next().value;
  if (before) return repeated(call, before);
  try {
    return await database.transaction(async (session) => {
      const batch = await openBatch(session, call);
      if (batch && 'kind' in batch) throw new Refused(batch);
      const owners: KeyOwners = call.keys.length > 0 ? await takeKeys(session, call) : new Map();
      const obstacle = obstacleOf(call, owners);
      if (obstacle) throw new Refused(obstacle);
      const owned = withOwners(call, owners);
      const ruled = await applyRules(session, store.fairRanks, owned);
      if (ruled && 'kind' in ruled) throw new Refused(ruled);
      const insertion = ruled?.insertion ?? owned;
      const full = await newOnes(session, insertion);
      if (full) throw new Refused(full);
      const joined = await withFamily(session, insertion, batch);
      if ('kind' in joined) throw new Refused(joined);
      const linked = await linkAll(session, call, joined);
      if (linked && 'kind' in linked) throw new Refused(linked);
      const inserted = await insertAll(store, session, [linked?.insertion ?? joined]);
      // The same request id was stored since the read above: the keys we took must not stay.
      if (call.requestId && inserted.first.size === 0) throw new Refused({ kind: 'requestIdReused' });
      if (batch) await addMembers(session, batch, joined);
      if (call.manual && joined.jobs.length > 0) await writeManualChange(session, call.manual);
      const skipped = linked ? await storeLinks(session, store.fairRanks, call, linked) : [];
      const result = withEnded(stored(insertion, new Set(), inserted.ranks), skipped);
      return ruled ? settleRuled(session, store.fairRanks, { owned, ruled, result }) : result;
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const after = (await readRepeated(database, repeats)).values().next().value;
    return after ? repeated(call, after) : error.result;
  }
}

/** Makes the jobs members of their batch, or children of the job whose handler submits them. */
async function withFamily(session: Session, insertion: Insertion, batch: OpenBatch | undefined) {
  if (batch) return withParents(insertion, batch);
  return insertion.call.parentAttempt ? withParent(session, insertion, insertion.call.parentAttempt) : insertion;
}

/** Links the jobs' dependencies, once nothing else blocks the call. Undefined: the jobs have none. */
async function linkAll(session: Session, call: SubmitCall, joined: Insertion) {
  if (!call.isDependent) return undefined;
  const error = await call.refuseCycles?.(dependencyStore(session));
  return error ? { kind: 'dependencyRefused' as const, error } : linkJobs(session, call, joined);
}

function withEnded(result: ReturnType<typeof stored>, ended: readonly Change[]): ReturnType<typeof stored> {
  return ended.length > 0 ? { ...result, replaced: { changes: ended } } : result;
}

/** Runs once the jobs are stored: carries out the remaining effects of their rules. */
async function settleRuled(
  session: Session,
  fairRanks: FairRanks,
  {
    owned,
    ruled,
    result,
  }: { readonly owned: Insertion; readonly ruled: Ruled; readonly result: ReturnType<typeof stored> },
): Promise<SubmitResult> {
  const { call, jobIds, existing, jobs } = ruled.insertion;
  const isDuplicate = (i: number) => existing[i] === true && !owned.existing[i];
  // An idempotency key that was taken for a duplicate is pointed to the existing job.
  await pointKeys(
    session,
    call.namespace,
    call.keys.flatMap(({ index, key }) => (isDuplicate(index) ? [{ key, jobId: jobIds[index] as string }] : [])),
  );
  const superseded = await replaceWaiting(session, fairRanks, call.namespace, ruled.superseded);
  const dueUs = jobs.reduce((due, { runTimeUs }) => Math.min(due, runTimeUs ?? due), Number.POSITIVE_INFINITY);
  return {
    ...result,
    jobs: result.jobs.map((job, i) => (isDuplicate(i) ? { ...job, duplicate: true } : job)),
    replaced: { changes: [...(result.replaced?.changes ?? []), ...ruled.replaced, ...superseded], dueUs },
  };
}

/** Calls that may be refused because of other stored jobs go one by one, all others in one statement. */
async function submitAll(
  store: SubmitStore,
  calls: readonly SubmitCall[],
  permits: Placement,
): Promise<Map<SubmitCall, SubmitResult>> {
  const plain = calls.filter((call) => !isExclusive(call));
  const results = new Map<SubmitCall, SubmitResult>();
  if (plain.length > 0) {
    const answers = await submitPlain(store, plain, permits);
    plain.forEach((call, i) => {
      results.set(call, answers[i] as SubmitResult);
    });
  }
  for (const call of calls) if (isExclusive(call)) results.set(call, await submitExclusive(store, call));
  return results;
}

const UNIQUE_VIOLATION = '23505';

/** Calls of these that an earlier attempt stored: a call is all or nothing, so one of its jobs proves the others. */
async function findStored(database: Database, calls: readonly SubmitCall[]): Promise<Map<SubmitCall, SubmitResult>> {
  const found = new Set(
    await findJobs(
      database,
      calls.flatMap((call) => call.jobs.map((job) => job.jobId)),
    ),
  );
  const there = calls.filter((call) => call.jobs.some((job) => found.has(job.jobId)));
  const results = new Map<SubmitCall, SubmitResult>();
  for (const call of there) {
    const owners = call.keys.length > 0 ? await readOwners(database, call) : new Map();
    // A stored job may have been replaced since: its key then names another job.
    const isStored = (jobId: string) => found.has(jobId);
    results.set(call, stored(await withHolders(database, withOwners(call, owners, isStored), isStored)));
  }
  return results;
}

/**
 * Results in the order of the calls. A flush may be retried after a part of it was stored: stored calls are recognized
 * by their job ids, which no other call has.
 */
export async function submitCalls(
  store: SubmitStore,
  calls: readonly SubmitCall[],
  permits: Placement,
): Promise<SubmitResult[]> {
  let results: Map<SubmitCall, SubmitResult>;
  try {
    results = await submitAll(store, calls, permits);
  } catch (error) {
    if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error;
    const before = await findStored(store.database, calls);
    if (before.size === 0) throw error;
    const rest = calls.filter((call) => !before.has(call));
    results = new Map([...before, ...(await submitAll(store, rest, permits))]);
  }
  return calls.map((call) => results.get(call) as SubmitResult);
}
