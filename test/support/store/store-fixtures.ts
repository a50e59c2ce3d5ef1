/** Jobs, lanes, sessions and reports for store tests. */
import { randomBytes, randomUUID } from 'node:crypto';
import { uuid7 } from '../../../server/domain/base/uuid.ts';
import { definitionDefaults, type JobDefinition } from '../../../server/domain/definitions/definition.ts';
import type { LaneKey } from '../../../server/domain/dispatch/placement.ts';
import type { AttemptKey, Completion } from '../../../server/engine/ports/attempts.ts';
import type { Claim, ClaimedJob, ClaimResult, Permit } from '../../../server/engine/ports/dispatch.ts';
import type { NewSession, SessionRow } from '../../../server/engine/ports/sessions.ts';
import type { NewJob, SubmitCall } from '../../../server/engine/ports/submissions.ts';
import { type Row, type StoreContext, sql } from './store-context.ts';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const payload = (text: string) => ({ data: bytes(text), contentType: 'text/plain' });
export const MAX_BYTES = 8 << 20;

let made = 0;

let last = { ms: 0, counter: 0 };

/**
 * Ids of one process, in the order of their creation. The counter restarts with each millisecond; otherwise it would
 * wrap within one.
 */
export function newJobId(ms = Date.now()): string {
  last = { ms, counter: ms === last.ms ? (last.counter + 1) & 0xfff : 0 };
  return uuid7(ms, last.counter, randomBytes(16));
}

/** A lane that no other test uses, unless `key` overrides that. */
export function makeLane(context: StoreContext, key: Partial<LaneKey> = {}, breaker?: string): Promise<number> {
  const unique = { namespace: 'default', queue: 'default', definition: `definition-${++made}` };
  return context.store.ensureLane({ ...unique, definitionVersion: 1, demands: '', suspect: false, ...key }, breaker);
}

/** A definition without a retention uses that of its namespace. */
const { retentionMs: _, ...defaults } = definitionDefaults;

/** A definition with every field set, except the retention. */
export function makeDefinition(name: string, changes: Partial<JobDefinition> = {}): JobDefinition {
  return {
    namespace: 'default',
    name,
    version: 0,
    handler: name,
    leaseLossAction: 'ABORT',
    demands: { labels: { gpu: 'yes' } },
    priority: 3,
    description: 'ä "quoted" \\ text',
    labels: { team: 'a' },
    createTimeUs: 0,
    ...defaults,
    ...changes,
  };
}

/** A READY job of rank 1,000,000. */
export function makeJob(laneId: number, changes: Partial<NewJob> = {}): NewJob {
  return {
    jobId: newJobId(),
    laneId,
    state: 'READY',
    rank: 1_000_000,
    priority: 0,
    input: payload('input'),
    runTimeoutMs: 60_000,
    ...changes,
  };
}

export function makeCall(jobs: readonly NewJob[], changes: Partial<SubmitCall> = {}): SubmitCall {
  return { namespace: 'default', jobs, keys: [], ...changes };
}

/** Stores READY jobs with rising ranks and returns their ids. */
export async function submitMany(
  context: StoreContext,
  laneId: number,
  count: number,
  changes: Partial<NewJob> = {},
): Promise<string[]> {
  const jobs = Array.from({ length: count }, (_, i) => makeJob(laneId, { rank: 1_000_000 + i, ...changes }));
  await context.store.submit([makeCall(jobs)]);
  return jobs.map((job) => job.jobId);
}

/** An open session with a lease of a minute. */
export function openWorker(context: StoreContext, changes: Partial<NewSession> = {}): Promise<SessionRow> {
  return context.store.openSession({
    sessionId: randomUUID(),
    namespace: 'default',
    workerName: 'worker',
    nowUs: 0,
    leaseMs: 60_000,
    slots: 10,
    handlers: [{ name: 'handler', minVersion: 0, maxVersion: 0 }],
    labels: { zone: 'a' },
    resources: { cpu: 2 },
    sdk: { name: 'test', version: '1', language: 'typescript' },
    ...changes,
  });
}

/** Lets a lease end `agoMs` ago. */
export async function lapse(context: StoreContext, sessionId: string, agoMs: number): Promise<void> {
  await sql(
    context,
    `UPDATE sessions SET lease_until = muster_now() - ${agoMs} * interval '1 ms' WHERE session_id = '${sessionId}'`,
  );
}

export function claimOf(laneIds: readonly number[], sessionId: string, count: number): Claim {
  const permit = { sessionId, creditId: 7, prefetch: false };
  return {
    permits: Array.from({ length: count }, () => permit),
    lanes: laneIds.map((laneId) => ({ laneId, cursor: 0 })),
    maxBytes: MAX_BYTES,
  };
}

export async function jobsOf(claim: Promise<ClaimResult>): Promise<ClaimedJob[]> {
  return [...(await claim).jobs];
}

/** Claims like a dispatcher with credits of one session, in the order of ranks. */
export async function claimMany(
  context: StoreContext,
  laneId: number,
  sessionId: string,
  count: number,
): Promise<ClaimedJob[]> {
  const claimed = await jobsOf(context.store.claim(claimOf([laneId], sessionId, count)));
  return claimed.sort((a, b) => a.rank - b.rank || (a.jobId < b.jobId ? -1 : 1));
}

/** Jobs leased by an open session. */
export async function holdMany(context: StoreContext, count: number): Promise<ClaimedJob[]> {
  const laneId = await makeLane(context);
  await submitMany(context, laneId, count);
  const { sessionId } = await openWorker(context);
  return claimMany(context, laneId, sessionId, count);
}

/** A job leased by an open session. */
export async function holdOne(context: StoreContext): Promise<ClaimedJob> {
  return only(await holdMany(context, 1));
}

export function keyOf({ jobId, attempt, sessionId }: AttemptKey): AttemptKey {
  return { jobId, attempt, sessionId };
}

export function completionOf(key: AttemptKey, text = 'result'): Completion {
  return { ...keyOf(key), result: payload(text) };
}

/** The only item of a list that must have exactly one. */
export function only<T>(items: readonly T[]): T {
  if (items.length !== 1) throw new Error(`one item was expected, not ${items.length}`);
  return items[0] as T;
}

/** A stored row; undefined when there is none. */
export async function readRow(context: StoreContext, table: string, jobId: string): Promise<Row | undefined> {
  return (await sql(context, `SELECT * FROM ${table} WHERE job_id = '${jobId}'`))[0];
}

/** Everything that the store has of a job, for comparisons. */
export async function readEverything(context: StoreContext, jobId: string): Promise<Row[]> {
  const names = [
    'jobs',
    'job_runs',
    'job_outcomes',
    'job_attempts',
    'job_checkpoints',
    'attempt_logs',
    'workflow_runs',
    'workflow_steps',
    'step_compensations',
  ];
  const parts = names.map(
    (name) => `SELECT '${name}' AS from_table, to_jsonb(t) AS row FROM ${name} t WHERE job_id = '${jobId}'`,
  );
  return sql(context, `${parts.join(' UNION ALL ')} ORDER BY 1, 2`);
}

/** A lane with the given number of ready jobs, and a session that may run them. */
export async function readyLane(context: StoreContext, jobs: number): Promise<{ laneId: number; sessionId: string }> {
  const laneId = await makeLane(context);
  await submitMany(context, laneId, jobs);
  const { sessionId } = await openWorker(context);
  return { laneId, sessionId };
}

/** A submission of three jobs, each with a permit of the session. */
export function assignedCall(laneId: number, sessionId: string): { call: SubmitCall; permits: Map<string, Permit> } {
  const call = makeCall([makeJob(laneId), makeJob(laneId), makeJob(laneId)]);
  const permits = new Map(call.jobs.map((job, creditId) => [job.jobId, { sessionId, creditId, prefetch: false }]));
  return { call, permits };
}
