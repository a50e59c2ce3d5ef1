/** Stores the jobs of several calls, assigns those with a permit, and announces them. */
import { earliest } from '../../../domain/jobs/time-limits.ts';
import { type Announcer, factsOfChanges } from '../../announcer.ts';
import { storeFault } from '../../base/errors.ts';
import { killPoint } from '../../base/kill-points.ts';
import type { LaneHint } from '../../base/messages.ts';
import type { Dispatcher } from '../../dispatch/dispatcher.ts';
import type { ClaimedJob, Permit } from '../../ports/dispatch.ts';
import type { LaneUnderLimits } from '../../ports/limits.ts';
import type { Store } from '../../ports/store.ts';
import type { NewJob, SubmitCall, SubmitResult } from '../../ports/submissions.ts';
import { isExclusive } from './submit-exclusive.ts';

export interface SubmissionFlushParts {
  readonly store: Pick<Store, 'submit' | 'findJobs'>;
  readonly dispatcher: Pick<Dispatcher, 'permitsFor' | 'giveBack' | 'publish'>;
  readonly announcer: Pick<Announcer, 'committed'>;
}

/** Max jobs stored per statement. */
const MAX_ASSIGNED = 1_000;

export function submissionFlush(
  parts: SubmissionFlushParts,
): (calls: readonly SubmitCall[]) => Promise<readonly SubmitResult[]> {
  return async (calls) => {
    const { permits, limited } = parts.dispatcher.permitsFor(placeable(calls));
    const results = await storeCalls(parts, calls, permits, limited);
    announceStored(parts, calls, results, permits);
    return results;
  };
}

/** After the commit: publishes the assigned jobs, and announces the others. */
export function announceStored(
  parts: SubmissionFlushParts,
  calls: readonly SubmitCall[],
  results: readonly SubmitResult[],
  permits: ReadonlyMap<string, Permit>,
): void {
  announceJobs(parts.announcer, calls, results, publish(parts.dispatcher, calls, results, permits));
}

/** Publishes assigned jobs, gives unused permits back, and returns the ids of the assigned jobs. */
function publish(
  dispatcher: SubmissionFlushParts['dispatcher'],
  calls: readonly SubmitCall[],
  results: readonly SubmitResult[],
  permits: ReadonlyMap<string, Permit>,
): ReadonlySet<string> {
  const assigned = new Set(results.flatMap(assignedOf));
  if (assigned.size > 0) {
    const jobs = calls.flatMap((call) => call.jobs.filter((job) => assigned.has(job.jobId)));
    dispatcher.publish(jobs.map((job) => firstAttempt(job, permits.get(job.jobId) as Permit)));
  }
  if (assigned.size < permits.size)
    dispatcher.giveBack([...permits].flatMap(([jobId, permit]) => (assigned.has(jobId) ? [] : [permit])));
  return assigned;
}

/** Announces new jobs that were not assigned, and jobs that the same transactions ended. */
export function announceJobs(
  announcer: SubmissionFlushParts['announcer'],
  calls: readonly SubmitCall[],
  results: readonly SubmitResult[],
  assigned: ReadonlySet<string>,
): void {
  const waiting = calls.flatMap((call) => call.jobs.filter(({ jobId }) => !assigned.has(jobId)));
  announcer.committed({ outbox: true, ready: headsOf(waiting, ranksOf(results)), dueUs: firstDue(waiting) });
  for (const result of results) {
    if (result.kind !== 'stored' || !result.replaced) continue;
    const { changes, dueUs } = result.replaced;
    announcer.committed({ ...factsOfChanges(changes), dueUs });
  }
}

/** Each lane's ready jobs: their number and their lowest rank. */
function headsOf(jobs: readonly NewJob[], ranks: ReadonlyMap<string, number>): LaneHint[] {
  const heads = new Map<number, { rank: number; jobs: number }>();
  for (const job of jobs) {
    if (job.state !== 'READY') continue;
    const head = heads.get(job.laneId);
    const rank = ranks.get(job.jobId) ?? job.rank;
    heads.set(job.laneId, { rank: Math.min(head?.rank ?? rank, rank), jobs: (head?.jobs ?? 0) + 1 });
  }
  return Array.from(heads, ([laneId, head]) => ({ laneId, ...head }));
}

function firstDue(jobs: readonly NewJob[]): number | undefined {
  let dueUs = Number.POSITIVE_INFINITY;
  for (const job of jobs) dueUs = Math.min(dueUs, job.runTimeUs ?? earliest(job.expireTimeUs, job.deadlineUs) ?? dueUs);
  return dueUs < Number.POSITIVE_INFINITY ? dueUs : undefined;
}

/** Ranks of jobs that were stored with another rank than requested. */
function ranksOf(results: readonly SubmitResult[]): ReadonlyMap<string, number> {
  const ranks = new Map<string, number>();
  for (const result of results) {
    if (result.kind !== 'stored') continue;
    for (const { jobId, rank } of result.jobs) if (rank !== undefined) ranks.set(jobId, rank);
  }
  return ranks;
}

/** Rejects as the store does. */
export async function storeCalls(
  { store, dispatcher }: Pick<SubmissionFlushParts, 'store' | 'dispatcher'>,
  calls: readonly SubmitCall[],
  permits: ReadonlyMap<string, Permit>,
  limited?: LaneUnderLimits,
): Promise<readonly SubmitResult[]> {
  try {
    const results = await store.submit(calls, permits, limited);
    killPoint('submit.after_commit_before_reply');
    return results;
  } catch (error) {
    if (storeFault(error) === 'world' && (await areStored(store, calls))) return calls.map(unassigned);
    dispatcher.giveBack([...permits.values()]);
    throw error;
  }
}

/** Looks up each job after a commit without an answer. */
async function areStored(store: Pick<Store, 'findJobs'>, calls: readonly SubmitCall[]): Promise<boolean> {
  const ids = calls.flatMap((call) => call.jobs.map((job) => job.jobId));
  const stored = new Set(await store.findJobs(ids).catch(() => []));
  return ids.every((id) => stored.has(id));
}

/** If a job was assigned, the session's next heartbeat finds it. */
function unassigned(call: SubmitCall): SubmitResult {
  return { kind: 'stored', jobs: call.jobs.map(({ jobId }) => ({ jobId, existing: false, assigned: false })) };
}

/**
 * Jobs that may get permits. A large call is stored by several statements, and an exclusive one has its own transaction:
 * the jobs of these wait for a claim.
 */
function placeable(calls: readonly SubmitCall[]): NewJob[] {
  return calls.flatMap((call) => (isExclusive(call) || call.jobs.length > MAX_ASSIGNED ? [] : call.jobs));
}

function assignedOf(result: SubmitResult): string[] {
  return result.kind === 'stored' ? result.jobs.flatMap((job) => (job.assigned ? [job.jobId] : [])) : [];
}

function firstAttempt(job: NewJob, permit: Permit): ClaimedJob {
  const { jobId, laneId, rank, runTimeoutMs, input, traceparent = '', tracestate = '' } = job;
  const counts = { attempt: 1, attemptCount: 0, checkpoint: undefined };
  return { ...permit, ...counts, jobId, laneId, rank, runTimeoutMs, input, traceparent, tracestate };
}
