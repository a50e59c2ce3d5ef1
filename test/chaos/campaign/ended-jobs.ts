/** Many ended jobs of an earlier day, in partitions of their own, which the journal does not contain. */
import type pg from 'pg';
import { openPostgres } from '../../../server/store/driver/postgres.ts';
import { dropDay } from '../../../server/store/upkeep/old-days.ts';
import { DAY_MS, dayName, makeDays } from '../../../server/store/upkeep/partitions.ts';
import { eventually } from '../../support/base/eventually.ts';

/** Younger than the retention. */
const DAYS_AGO = 3;
const ROWS_PER_INSERT = 500_000;
const LOCK_NOT_AVAILABLE = '55P03';
const DROP_MS = 60_000;
/** As in docs/operations.md, sizing. */
const PAYLOAD = `'{"text": "${'x'.repeat(83)}"}'`;

export interface EndedJobs {
  readonly megabytes: number;
  /** Drops them. */
  drop(): Promise<void>;
}

export async function insertEndedJobs(url: string, client: pg.Client, rows: number): Promise<EndedJobs> {
  const dayMs = Math.floor(Date.now() / DAY_MS - DAYS_AGO) * DAY_MS;
  await onDay(url, (database) => makeDays(database, [dayMs]));
  await client.query('SET session_replication_role = replica; SET synchronous_commit = off');
  for (let from = 0; from < rows; from += ROWS_PER_INSERT)
    await client.query(insertion(dayMs, from, Math.min(from + ROWS_PER_INSERT, rows) - 1, rows));
  await client.query('RESET session_replication_role; RESET synchronous_commit');
  const size = `SELECT (pg_total_relation_size('muster.jobs_${dayName(dayMs)}')
                + pg_total_relation_size('muster.job_outcomes_${dayName(dayMs)}'))::float8 AS bytes`;
  const { rows: sizes } = await client.query<{ bytes: number }>(size);
  return {
    megabytes: Math.round((sizes[0]?.bytes ?? 0) / 2 ** 20),
    drop: () => onDay(url, (database) => dropDay(database, dayMs, dayMs + DAY_MS)),
  };
}

/** Ids of the whole day, in order. */
function insertion(dayMs: number, from: number, to: number, rows: number): string {
  const day = dayName(dayMs);
  return `
WITH many AS MATERIALIZED (
  SELECT (lpad(to_hex(${dayMs} + n * ${DAY_MS}::bigint / ${rows}), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid AS id,
         to_timestamp((${dayMs} + n * ${DAY_MS}::bigint / ${rows}) / 1000.0) AS at
  FROM generate_series(${from}::bigint, ${to}) AS n
), submitted AS (
  INSERT INTO muster.jobs_${day} (job_id, lane_id, priority, input, input_content_type, run_timeout_ms, create_time)
  SELECT id, (SELECT min(lane_id) FROM muster.lanes), 0, ${PAYLOAD}, 'application/json', 60000, at FROM many
)
INSERT INTO muster.job_outcomes_${day}
  (job_id, state, revision, attempt, attempt_count, assign_time, end_time, result, result_content_type)
SELECT id, 9, 3, 1, 1, at, at, ${PAYLOAD}, 'application/json' FROM many`;
}

/** Repeats work that waits for no lock, until it does not return false. */
async function onDay(
  url: string,
  work: (database: ReturnType<typeof openPostgres>) => Promise<unknown>,
): Promise<void> {
  const database = openPostgres({ url, poolSize: 1, applicationName: 'large database' });
  const isDone = async () => {
    try {
      // A drop that takes too long returns false.
      return (await work(database)) !== false;
    } catch (error) {
      if ((error as pg.DatabaseError).code !== LOCK_NOT_AVAILABLE) throw error;
      return false;
    }
  };
  try {
    await eventually('the day has its partitions, or none', isDone, { timeoutMs: DROP_MS, everyMs: 50 });
  } finally {
    await database.close();
  }
}
