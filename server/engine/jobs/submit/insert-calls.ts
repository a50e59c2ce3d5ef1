/** Stores the jobs of calls, with their ranks and permits. */
import type { Permit } from '../../ports/dispatch.ts';
import type { Store } from '../../ports/store.ts';
import type { Inserted, Insertion, NewJob, Placement, SubmitCall } from '../../ports/submissions.ts';
import { admitPermits, lockPermits } from './limited-permits.ts';
import { noRanks } from './stored-calls.ts';

const ROWS_PER_STATEMENT = 1000;

const noPermits: Placement = { permits: new Map() };

/** The inserted jobs, with their ranks and permits. */
export interface Placed extends Inserted {
  readonly ranks: ReadonlyMap<string, number>;
  /** Ids of the jobs that were assigned, if their calls were stored. */
  readonly assigned: ReadonlySet<string>;
}

/**
 * One statement, one round trip, except for large calls, and for jobs with a fairness key, a retry budget or limits.
 */
export async function insertCalls(
  store: Store,
  insertions: readonly Insertion[],
  given: Placement = noPermits,
): Promise<Placed> {
  const isMore = insertions.some(({ jobs }) => jobs.some((job) => job.hasRetryBudget || isFair(job)));
  if (!largeOf(insertions) && !isMore && !given.limited) {
    const inserted = await store.insertJobs(insertions, given);
    return { ...inserted, ranks: noRanks, assigned: assignedOf(insertions, inserted, given.permits) };
  }
  const { inserting, ranks, permits } = await store.together((tx) => placeCalls(tx, insertions, given));
  const inserted = await inserting;
  return { ...inserted, ranks, assigned: assignedOf(storedOf(insertions, inserted.first), inserted, permits) };
}

async function placeCalls(tx: Store, insertions: readonly Insertion[], given: Placement) {
  const large = largeOf(insertions);
  const jobs = insertions.flatMap((insertion) => insertion.jobs);
  // The locks must be taken in this order.
  const [locked, ranks] = await Promise.all([lockPermits(tx, jobs, given), tx.rankFairly(jobs.filter(isFair))]);
  const { takeUnits, ...permitted } = admitPermits(tx, locked, { ...given, ranks });
  const inserting = large ? insertLarge(tx, large, ranks) : tx.insertJobs(insertions, permitted);
  takeUnits(proofsOf(insertions));
  // The answer comes with that of the COMMIT, unless a later statement needs it.
  inserting.catch(() => {});
  if (large || jobs.some((job) => job.hasRetryBudget)) {
    const { first } = await inserting;
    await tx.countFirstAttempts(storedOf(insertions, first).flatMap((insertion) => insertion.jobs));
  }
  return { inserting, ranks, permits: permitted.permits };
}

function largeOf([first]: readonly Insertion[]): Insertion | undefined {
  return first && first.jobs.length > ROWS_PER_STATEMENT ? first : undefined;
}

/** A large call takes several statements of one transaction. Its request id goes with the first. */
async function insertLarge(tx: Store, insertion: Insertion, ranks: ReadonlyMap<string, number>): Promise<Inserted> {
  const { jobs } = insertion;
  const inserted = await tx.insertJobs([{ ...insertion, jobs: jobs.slice(0, ROWS_PER_STATEMENT) }], { ranks });
  if (insertion.call.requestId && inserted.first.size === 0) return inserted;
  const rest: SubmitCall = { namespace: insertion.call.namespace, jobs: [], keys: [] };
  for (let at = ROWS_PER_STATEMENT; at < jobs.length; at += ROWS_PER_STATEMENT)
    await tx.insertJobs([{ ...insertion, call: rest, jobs: jobs.slice(at, at + ROWS_PER_STATEMENT) }], { ranks });
  return inserted;
}

/** A job that is to start at a later time gets its turn at that time. */
function isFair(job: NewJob): job is NewJob & { readonly fairnessKey: string } {
  return job.fairnessKey !== undefined && job.state === 'READY';
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
