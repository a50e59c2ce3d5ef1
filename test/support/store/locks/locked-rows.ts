/** The rows that locking operations share: jobs in two lanes, sessions that hold two thirds of them, and keys. */
import { randomUUID } from 'node:crypto';
import type { AttemptKey } from '../../../../server/engine/ports/attempts.ts';
import type { Store } from '../../../../server/engine/ports/store.ts';
import type { StoreContext } from '../store-context.ts';
import { makeLane, openWorker, submitMany } from '../store-fixtures.ts';

const JOBS = 24;

export interface LockedRows {
  readonly laneId: number;
  /** That lane and another one, each with a circuit breaker of its own. */
  readonly laneIds: readonly number[];
  readonly jobIds: readonly string[];
  /** SCHEDULED jobs that hold debounce keys, each named by the job's id. */
  readonly waitingJobs: readonly string[];
  readonly sessionIds: readonly string[];
  /** The held two thirds of the jobs. */
  readonly held: readonly AttemptKey[];
}

/** The rows, and keys that only the operations of one round use. */
export interface Round extends LockedRows {
  readonly keys: readonly string[];
  readonly requestIds: readonly string[];
}

/** One or more transactions that lock rows in the given or in the opposite order, as the engine composes them. */
export type Operation<Rows = unknown> = (store: Store, isReversed: boolean, rows: Round & Rows) => Promise<unknown>;

/** Operations on the shared rows and on others. */
export interface LockingGroup {
  readonly names: readonly string[];
  /** Makes the other rows. Resolves with the operations by name, and the SQL that restores these rows. */
  readonly prepare: (context: StoreContext, rows: LockedRows) => Promise<PreparedGroup>;
}

export interface PreparedGroup {
  readonly operations: ReadonlyMap<string, Operation>;
  readonly reset: string;
}

export function groupOf<Rows>(
  operations: Readonly<Record<string, Operation<Rows>>>,
  makeRows: (context: StoreContext, rows: LockedRows) => Promise<Rows & { readonly reset: string }>,
): LockingGroup {
  return {
    names: Object.keys(operations),
    prepare: async (context, shared) => {
      const { reset, ...rows } = await makeRows(context, shared);
      const bound = Object.entries(operations).map(([name, run]): [string, Operation] => [
        name,
        (store, isReversed, round) => run(store, isReversed, { ...round, ...(rows as Rows) }),
      ]);
      return { operations: new Map(bound), reset };
    },
  };
}

export const turned = <T>(items: readonly T[], isReversed: boolean): T[] =>
  isReversed ? [...items].reverse() : [...items];

export const quoted = (ids: readonly string[]): string => ids.map((id) => `'${id}'`).join(', ');

export function newRound(rows: LockedRows): Round {
  const ids = () => Array.from({ length: 12 }, () => randomUUID());
  return { ...rows, keys: ids(), requestIds: ids() };
}

export async function makeLockedRows(context: StoreContext): Promise<LockedRows & { readonly reset: string }> {
  const laneId = await makeLane(context, { definition: 'one' }, 'a');
  const laneIds = [laneId, await makeLane(context, { definition: 'two' }, 'b')];
  const jobIds = (await submitMany(context, laneId, JOBS)).sort();
  const sessions = await Promise.all(Array.from({ length: 4 }, () => openWorker(context)));
  const sessionIds = sessions.map((session) => session.sessionId).sort();
  const held = jobIds.flatMap((jobId, i) =>
    i % 3 === 0 ? [] : [{ jobId, attempt: 1, sessionId: sessionIds[i % 4] as string }],
  );
  const waitingJobs = jobIds.filter((_, i) => isWaiting(i));
  const rows = { laneId, laneIds, jobIds, waitingJobs, sessionIds, held };
  return { ...rows, reset: resetScript(rows) };
}

const isWaiting = (i: number) => i % 6 === 3;

/**
 * Restores all rows: a third READY, a third ASSIGNED, a third RUNNING, and every other READY one SCHEDULED with a
 * debounce key. Every due time has come, and all leases have lapsed.
 */
function resetScript({ jobIds, laneIds, sessionIds, waitingJobs }: LockedRows): string {
  const rows = jobIds.map((jobId, i) => {
    const isHeld = i % 3 > 0;
    const state = isWaiting(i) ? 2 : [3, 5, 6][i % 3];
    const due = i % 3 === 1 ? 'NULL' : `muster_now() - interval '1 minute'`;
    return `('${jobId}', ${laneIds[i % 2]}, ${state}, ${i}, 5, 60000, ${isHeld ? 1 : 0}, ${isHeld ? `'${sessionIds[i % 4]}'` : 'NULL'}, 7, muster_now(), ${due})`;
  });
  return `
DELETE FROM job_runs; DELETE FROM job_outcomes; DELETE FROM job_attempts; DELETE FROM job_checkpoints;
DELETE FROM job_dependencies; DELETE FROM job_inbox; DELETE FROM idempotency_keys; DELETE FROM request_ids; DELETE FROM audit_records;
DELETE FROM circuit_breakers; DELETE FROM retry_budgets; DELETE FROM submission_keys; DELETE FROM reservations;
UPDATE jobs SET erase_audit_id = NULL WHERE erase_audit_id IS NOT NULL AND job_id IN (${quoted(jobIds)});
UPDATE lanes SET gates = 0 WHERE gates <> 0;
UPDATE sessions SET state = 1, close_cause = NULL, close_time = NULL, drain_wanted = false, lease_until = muster_now() - interval '1 minute';
INSERT INTO job_runs (job_id, lane_id, state, rank, input_size, run_timeout_ms, attempt, session_id, credit_id, assign_time, due_time)
VALUES ${rows.join(', ')};
INSERT INTO submission_keys (key_hash, kind, job_id, until_time)
VALUES ${waitingJobs.map((jobId) => `(sha256('${jobId}'), 2, '${jobId}', muster_now() + interval '1 hour')`)};`;
}

/** SQL that makes the jobs open again, without a session. */
export function openAgain(jobs: readonly { jobId: string; laneId: number; state: number }[], more = ''): string {
  const rows = jobs.map(({ jobId, laneId, state }, rank) => `('${jobId}', ${laneId}, ${state}, ${rank}, 5, 60000)`);
  return `
INSERT INTO job_runs (job_id, lane_id, state, rank, input_size, run_timeout_ms) VALUES ${rows.join(', ')};${more}`;
}
