/** Stores the jobs of several calls, assigns those for which there is a place, and tells whom it concerns. */
import { earliest } from '../domain/time-limits.ts';
import type { Dispatcher } from './dispatcher.ts';
import { storeFault } from './errors.ts';
import { killPoint } from './kill-points.ts';
import type { LaneUnderLimits } from './limit-views.ts';
import type { LaneHint } from './messages.ts';
import type { ClaimedJob, NewJob, Place, Store, SubmitCall, SubmitResult } from './store-port.ts';

export interface SubmissionFlushParts {
  readonly store: Pick<Store, 'submit' | 'findJobs'>;
  readonly dispatcher: Pick<Dispatcher, 'placesFor' | 'giveBack' | 'publish'>;
  /** Told of jobs that are ready, once they are stored. */
  readonly onReady: (hints: readonly LaneHint[]) => void;
  /** Told of the earliest time at which a stored job falls due. */
  readonly onDue: (dueUs: number) => void;
  /** Told when the outbox has got a row. */
  readonly onTold: () => void;
  /** Told of jobs whose place others took. */
  readonly onEnded: (jobIds: readonly string[]) => void;
}

/** Jobs that one statement stores. */
const MOST_PLACED = 1_000;

export function submissionFlush(
  parts: SubmissionFlushParts,
): (calls: readonly SubmitCall[]) => Promise<readonly SubmitResult[]> {
  return async (calls) => {
    const { places, limited } = parts.dispatcher.placesFor(placeable(calls));
    const results = await storeCalls(parts, calls, places, limited);
    announceStored(parts, calls, results, places);
    announceReplaced(parts, results);
    return results;
  };
}

/** Once they are committed: sends what was assigned, and tells whom the others concern. */
export function announceStored(
  parts: SubmissionFlushParts,
  calls: readonly SubmitCall[],
  results: readonly SubmitResult[],
  places: ReadonlyMap<string, Place>,
): void {
  announce(parts, calls, results, publish(parts.dispatcher, calls, results, places));
}

/** Sends what was assigned as it was stored, gives the other places back, and returns what was assigned. */
function publish(
  dispatcher: SubmissionFlushParts['dispatcher'],
  calls: readonly SubmitCall[],
  results: readonly SubmitResult[],
  places: ReadonlyMap<string, Place>,
): ReadonlySet<string> {
  const assigned = new Set(results.flatMap(assignedOf));
  if (assigned.size > 0) {
    const jobs = calls.flatMap((call) => call.jobs.filter((job) => assigned.has(job.jobId)));
    dispatcher.publish(jobs.map((job) => firstAttempt(job, places.get(job.jobId) as Place)));
  }
  if (assigned.size < places.size)
    dispatcher.giveBack([...places].flatMap(([jobId, place]) => (assigned.has(jobId) ? [] : [place])));
  return assigned;
}

/** Tells the dispatchers where jobs became ready, and the sweeper when the next one falls due. */
export function announce(
  { onReady, onDue, onTold }: Pick<SubmissionFlushParts, 'onReady' | 'onDue' | 'onTold'>,
  calls: readonly SubmitCall[],
  results: readonly SubmitResult[],
  assigned: ReadonlySet<string>,
): void {
  onTold();
  const ranks = ranksOf(results);
  const heads = new Map<number, { rank: number; jobs: number }>();
  let dueUs = Number.POSITIVE_INFINITY;
  for (const job of calls.flatMap((call) => call.jobs)) {
    if (assigned.has(job.jobId)) continue;
    if (job.state === 'READY') {
      const head = heads.get(job.laneId);
      const rank = ranks.get(job.jobId) ?? job.rank;
      heads.set(job.laneId, { rank: Math.min(head?.rank ?? rank, rank), jobs: (head?.jobs ?? 0) + 1 });
    }
    const due = job.runTimeUs ?? earliest(job.expireTimeUs, job.deadlineUs) ?? undefined;
    if (due !== undefined) dueUs = Math.min(dueUs, due);
  }
  if (heads.size > 0) onReady(Array.from(heads, ([laneId, head]) => ({ laneId, ...head })));
  if (dueUs < Number.POSITIVE_INFINITY) onDue(dueUs);
}

/** Of those that got another rank than they were to be stored with. */
function ranksOf(results: readonly SubmitResult[]): ReadonlyMap<string, number> {
  const ranks = new Map<string, number>();
  for (const result of results) {
    if (result.kind !== 'stored') continue;
    for (const { jobId, rank } of result.jobs) if (rank !== undefined) ranks.set(jobId, rank);
  }
  return ranks;
}

/** Tells who waits for jobs that debounced ones have replaced, and the sweeper when those fall due. */
export function announceReplaced(
  { onEnded, onDue }: Pick<SubmissionFlushParts, 'onEnded' | 'onDue'>,
  results: readonly SubmitResult[],
): void {
  for (const result of results) {
    if (result.kind !== 'stored' || !result.replaced) continue;
    const { changes, dueUs } = result.replaced;
    if (changes.length > 0) onEnded(changes.map(({ run }) => run.jobId));
    if (dueUs < Number.POSITIVE_INFINITY) onDue(dueUs);
  }
}

/** Rejects as the store does. */
export async function storeCalls(
  { store, dispatcher }: Pick<SubmissionFlushParts, 'store' | 'dispatcher'>,
  calls: readonly SubmitCall[],
  places: ReadonlyMap<string, Place>,
  limited?: LaneUnderLimits,
): Promise<readonly SubmitResult[]> {
  try {
    const results = await store.submit(calls, places, limited);
    killPoint('submit.after_commit_before_reply');
    return results;
  } catch (error) {
    if (storeFault(error) === 'world' && (await areStored(store, calls))) return calls.map(unassigned);
    dispatcher.giveBack([...places.values()]);
    throw error;
  }
}

/** Settles a commit whose answer was lost: each job is looked for. */
async function areStored(store: Pick<Store, 'findJobs'>, calls: readonly SubmitCall[]): Promise<boolean> {
  const ids = calls.flatMap((call) => call.jobs.map((job) => job.jobId));
  const stored = new Set(await store.findJobs(ids).catch(() => []));
  return ids.every((id) => stored.has(id));
}

/** If it was assigned all the same, the session's next heartbeat brings it. */
function unassigned(call: SubmitCall): SubmitResult {
  return { kind: 'stored', jobs: call.jobs.map(({ jobId }) => ({ jobId, existing: false, assigned: false })) };
}

/**
 * A large call is stored by several statements, one with keys, rules, limits, dependencies, a batch or what was done by hand in a transaction of its
 * own: all wait for a claim.
 */
function placeable(calls: readonly SubmitCall[]): NewJob[] {
  const isPlain = ({ keys, rules, limits, batchJobId, isDependent, parentAttempt, byHand, jobs }: SubmitCall) =>
    keys.length === 0 &&
    !rules &&
    !limits &&
    !batchJobId &&
    !isDependent &&
    !parentAttempt &&
    !byHand &&
    jobs.length <= MOST_PLACED;
  return calls.flatMap((call) => (isPlain(call) ? call.jobs : []));
}

function assignedOf(result: SubmitResult): string[] {
  return result.kind === 'stored' ? result.jobs.flatMap((job) => (job.assigned ? [job.jobId] : [])) : [];
}

function firstAttempt(job: NewJob, place: Place): ClaimedJob {
  const { jobId, laneId, rank, runTimeoutMs, input, traceparent = '', tracestate = '' } = job;
  const counts = { attempt: 1, attemptsCounted: 0, checkpoint: undefined };
  return { ...place, ...counts, jobId, laneId, rank, runTimeoutMs, input, traceparent, tracestate };
}
