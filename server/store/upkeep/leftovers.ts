/**
 * Deletes obsolete rows from tables that are not ordered by age: each is walked from its first block to its last, one
 * slice at a time. Every submission would pay for an index by age.
 */
import { timestampOf } from '../base/times.ts';
import type { Session, Statement } from '../driver/database.ts';

/** Blocks of 8 KiB per slice: about 1,000 rows. */
export const SLICE_BLOCKS = 16;

// OFFSET 0 makes PostgreSQL look up each row by itself; a join might read the whole of the other table for each.
const noRun = (column: string) => `NOT EXISTS (SELECT FROM job_runs r WHERE r.${column} = t.${column} OFFSET 0)`;
const noRecord = 'NOT EXISTS (SELECT FROM jobs j WHERE j.job_id = t.job_id OFFSET 0)';
const now = '(SELECT now FROM given)';
const young = '(SELECT young FROM given)';
const olderThan = (column: string, age: string) => `t.${column} <= ${now} - interval '${age}'`;

/**
 * The rows to delete from each table. `job_checkpoints`: a process may be killed between a job's end and this deletion.
 */
const conditions = {
  request_ids: olderThan('create_time', '1 day'),
  idempotency_keys: `${olderThan('create_time', '7 days')} AND ${noRun('job_id')}`,
  // A throttle's key lasts for its time, whatever happened to the job; other keys go with their job. A key that has
  // just been taken over names a job that is too young.
  submission_keys: `CASE WHEN t.kind = 3 THEN t.until_time <= ${now} ELSE t.job_id < ${young} AND ${noRecord} END`,
  job_checkpoints: noRun('job_id'),
  sessions: `t.state = 3 AND ${olderThan('close_time', '1 day')} AND ${noRun('session_id')}`,
  // A key whose last job does not wait, and a full bucket, mean the same as a missing row.
  fairness_keys: 'NOT EXISTS (SELECT FROM job_runs r WHERE r.job_id = t.last_job_id OFFSET 0)',
  rate_buckets: olderThan('full_time', '1 minute'),
  retry_budgets: `t.minute < (SELECT floor(extract(epoch FROM now) / 60) FROM given) - 60`,
  // Rows of dropped days. Jobs younger than any retention exist: they need no look-up.
  job_attempts: `t.job_id < ${young} AND ${noRecord}`,
  attempt_logs: `t.job_id < ${young} AND ${noRecord}`,
  late_reports: `t.job_id < ${young} AND ${noRecord}`,
  soft_deadlines: `t.job_id < ${young} AND ${noRecord}`,
  workflow_runs: `t.job_id < ${young} AND ${noRecord}`,
  workflow_steps: `t.job_id < ${young} AND ${noRecord}`,
  step_compensations: `t.job_id < ${young} AND ${noRecord}`,
  step_cache: `(t.until_time <= ${now} OR (t.job_id < ${young} AND ${noRecord}))`,
  batches: `t.job_id < ${young} AND ${noRecord}`,
  batch_counts: `t.job_id < ${young} AND ${noRecord}`,
  // Left by a replica of a release that knew no signal waits.
  signal_waits: noRun('job_id'),
  // Events kept for a job that has not come.
  sent_signals: `t.up_to_row IS NULL AND t.keep_until <= ${now}`,
  // Causes that have not led to a job in time.
  trigger_causes: `t.expire_time <= ${now}`,
  audit_records: `t.action <> 'ERASE_JOB' AND ${olderThan('record_time', '1 year')}`,
  job_outcomes_default: `t.job_id < ${young} AND ${noRecord}`,
};

export type LeftoverTable = keyof typeof conditions;

export const leftoverTables = Object.keys(conditions) as LeftoverTable[];

function clearStatement(table: LeftoverTable) {
  return {
    name: `clear_${table}`,
    text: `
WITH given AS MATERIALIZED (SELECT $3::uuid AS young, $4::timestamptz AS now),
gone AS (
  DELETE FROM ${table} t WHERE t.ctid >= $1::tid AND t.ctid < $2::tid AND ${conditions[table]} RETURNING 1
)
SELECT (SELECT count(*)::int FROM gone) AS rows,
       (pg_relation_size('${table}') / current_setting('block_size')::int)::int AS blocks`,
    row: { rows: 'int4', blocks: 'int4' },
  } satisfies Statement;
}

const statements = new Map(leftoverTables.map((table) => [table, clearStatement(table)]));

export interface Slice {
  readonly rows: number;
  /** Where the next slice begins; undefined at the end of the table. */
  readonly nextBlock: number | undefined;
}

export interface Given {
  /** The job with this id and later ones are younger than any retention. */
  readonly young: string;
  readonly nowMs: number;
}

export async function clearSlice(
  session: Session,
  table: LeftoverTable,
  block: number,
  { young, nowMs }: Given,
): Promise<Slice> {
  const end = block + SLICE_BLOCKS;
  const statement = statements.get(table) as ReturnType<typeof clearStatement>;
  const [row] = await session.run(statement, [`(${block},0)`, `(${end},0)`, young, timestampOf(nowMs * 1000)]);
  return { rows: row?.rows ?? 0, nextBlock: end < (row?.blocks ?? 0) ? end : undefined };
}
