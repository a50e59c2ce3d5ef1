/** Whole days older than any retention: detached and dropped. Jobs that are still needed are kept. */
import { lowestUuid } from '../../domain/base/uuid.ts';
import { timestampOf } from '../base/times.ts';
import { stopReasonCodes } from '../batches/batch-stop-reasons.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import { QUERY_CANCELED } from '../driver/read-gate.ts';
import { CLEARING_LOCK } from './clearing.ts';
import { DAY_MS, dayName, dayStart } from './partitions.ts';

/**
 * Max rows and bytes copied while all other transactions wait. A day with more is cleared in pages, and dropped later.
 */
const MAX_KEPT_ROWS = 1_000;
const MAX_KEPT_BYTES = 8 << 20;
/** Max time of the copy and the drop, however slow the database is. */
const MAX_WAIT_MS = 2_000;
/** Blocks summarized per statement: 100 MiB. */
const SUM_BLOCKS = 12_800;

const listDays = {
  name: 'list_days',
  text: `
SELECT right(relname, 8) AS day FROM pg_class
WHERE relnamespace = 'muster'::regnamespace AND relispartition AND relkind = 'r' AND relname ~ '^(jobs|job_outcomes)_\\d{8}$'
GROUP BY 1 HAVING count(*) = 2 ORDER BY 1`,
  row: { day: 'text' },
} satisfies Statement;

/** First milliseconds of the days that end by `cutoffMs`, oldest first. */
export async function daysBefore(session: Session, cutoffMs: number): Promise<number[]> {
  const rows = await session.run(listDays, []);
  const days = rows.map(({ day }) => dayStart(day));
  return days.filter((dayMs) => dayMs + DAY_MS <= cutoffMs);
}

interface Day {
  readonly jobs: string;
  readonly outcomes: string;
  readonly from: string;
  readonly to: string;
  readonly cutoff: string;
}

function dayOf(dayMs: number, cutoffMs: number): Day {
  return {
    jobs: `jobs_${dayName(dayMs)}`,
    outcomes: `job_outcomes_${dayName(dayMs)}`,
    from: lowestUuid(dayMs),
    to: lowestUuid(dayMs + DAY_MS),
    cutoff: timestampOf(cutoffMs * 1000) as string,
  };
}

/**
 * Ids of jobs that must stay: open; ended after the cutoff; a child of an open workflow or batch, or of a batch that is
 * being retried; or a job whose result a step of an open workflow took from the cache or from the workflow that it
 * retries. Parents are older than their children, and few of such old parents are kept.
 */
function keptIds({ jobs, outcomes, from, to, cutoff }: Day): string {
  return `SELECT job_id FROM job_runs WHERE job_id >= '${from}' AND job_id < '${to}'
UNION SELECT job_id FROM ${outcomes} WHERE end_time > '${cutoff}'
UNION SELECT c.job_id FROM (SELECT job_id FROM workflow_runs UNION ALL SELECT job_id FROM batches) AS p
CROSS JOIN LATERAL (SELECT job_id FROM job_runs r WHERE r.job_id = p.job_id AND p.job_id < '${to}' OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT job_id FROM ${jobs} d WHERE d.parent_job_id = r.job_id OFFSET 0) AS c
UNION SELECT c.job_id FROM (SELECT retry_of FROM batches WHERE retry_of IS NOT NULL AND seal_time IS NULL AND stop_reason = ${stopReasonCodes.NO}) AS b
CROSS JOIN LATERAL (SELECT job_id FROM ${jobs} d WHERE d.parent_job_id = b.retry_of OFFSET 0) AS c
UNION SELECT s.child_job_id FROM workflow_steps s
WHERE s.cache_time IS NOT NULL AND s.child_job_id >= '${from}' AND s.child_job_id < '${to}'
  AND EXISTS (SELECT FROM job_runs r WHERE r.job_id = s.job_id OFFSET 0)
UNION SELECT c.job_id FROM (
  SELECT s.adopted_from, s.step FROM workflow_steps s WHERE s.adopted_from < '${to}'
    AND EXISTS (SELECT FROM job_runs r WHERE r.job_id = s.job_id OFFSET 0)
) AS s
CROSS JOIN LATERAL (SELECT job_id FROM ${jobs} d WHERE d.parent_job_id = s.adopted_from AND d.step = s.step OFFSET 0) AS c`;
}

/** Summarizes the rest of the day's end times, so that a search for the late ones reads no more than those. */
async function sumUp(session: Session, { outcomes }: Day): Promise<void> {
  const text = `
SELECT pg_relation_size('${outcomes}') / current_setting('block_size')::int AS blocks,
       (SELECT sum(brin_summarize_range(i.indexrelid, block)) FROM generate_series($1::int, $2::int, 128) AS block
        WHERE block * current_setting('block_size')::bigint < pg_relation_size('${outcomes}'))
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
WHERE i.indrelid = '${outcomes}'::regclass AND a.amname = 'brin'`;
  for (let block = 0; ; block += SUM_BLOCKS) {
    const sum = { name: '', text, row: { blocks: 'int8?', sum: 'int8?' } } satisfies Statement;
    const [row] = await session.run(sum, [block, block + SUM_BLOCKS - 1]);
    // No size: another replica has dropped the day meanwhile.
    if (!row?.blocks || row.blocks <= block + SUM_BLOCKS) return;
  }
}

async function keepsLittle(session: Session, day: Day): Promise<boolean> {
  const text = `
SELECT count(*)::int AS rows, coalesce(sum(pg_column_size(j.input) + coalesce(pg_column_size(o.result), 0)), 0) AS bytes
FROM (${keptIds(day)} LIMIT ${MAX_KEPT_ROWS + 1}) AS k
LEFT JOIN LATERAL (SELECT input FROM ${day.jobs} d WHERE d.job_id = k.job_id OFFSET 0) AS j ON true
LEFT JOIN LATERAL (SELECT result FROM ${day.outcomes} d WHERE d.job_id = k.job_id OFFSET 0) AS o ON true`;
  const [row] = await session.run({ name: '', text, row: { rows: 'int4', bytes: 'int8' } }, []);
  return row !== undefined && row.rows <= MAX_KEPT_ROWS && row.bytes <= MAX_KEPT_BYTES;
}

// Both tables or none, so that no job is seen without its outcome. Once `jobs` and `job_outcomes` are locked no job is
// being ended: every job is open or has an outcome.
function dropScript(day: Day): string {
  const copy = (table: string, from: string) => `
  INSERT INTO ${table}
  SELECT d.* FROM unnest(kept) AS k (job_id) CROSS JOIN LATERAL (SELECT * FROM ${from} f WHERE f.job_id = k.job_id OFFSET 0) AS d;`;
  return `
SET LOCAL lock_timeout = '100ms';
SET LOCAL statement_timeout = ${MAX_WAIT_MS};
DO $$ DECLARE kept uuid[]; BEGIN
  IF NOT pg_try_advisory_xact_lock(${CLEARING_LOCK}) THEN RAISE 'another replica clears' USING ERRCODE = '55P03'; END IF;
  LOCK TABLE ONLY jobs, ONLY job_outcomes IN ACCESS EXCLUSIVE MODE;
  ALTER TABLE jobs DETACH PARTITION ${day.jobs};
  ALTER TABLE job_outcomes DETACH PARTITION ${day.outcomes};
  kept := ARRAY(${keptIds(day)});
  ${copy('jobs', day.jobs)}
  ${copy('job_outcomes', day.outcomes)}
  DROP TABLE ${day.jobs}, ${day.outcomes};
END $$;`;
}

/**
 * Drops a day, unless more of it has to be kept than can be copied at once, in rows, bytes or time.
 * Locks both tables meanwhile, and waits for them no more than 100 ms each: all other transactions wait behind it.
 * @throws the database's error with code 55P03 if another transaction holds a lock for longer.
 */
export async function dropDay(database: Database, dayMs: number, cutoffMs: number): Promise<boolean> {
  const day = dayOf(dayMs, cutoffMs);
  await sumUp(database, day);
  if (!(await keepsLittle(database, day))) return false;
  try {
    await database.script(dropScript(day));
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === QUERY_CANCELED) return false;
    throw error;
  }
}
