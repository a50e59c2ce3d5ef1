/** Partitions by the day of the job id: created days ahead, so that no insert ever waits for one. */
import { lowestUuid } from '../../domain/base/uuid.ts';
import { DAYS_AHEAD } from '../../engine/ports/upkeep.ts';
import type { Database, Session, Statement } from '../driver/database.ts';

export const DAY_MS = 86_400_000;
/** The partitioned tables, each with the column of its payloads. */
const partitioned = { jobs: 'input', job_outcomes: 'result' } as const;
/** The advisory lock of the replica that makes a day. Nobody else waits behind it. */
const DAY_LOCK = 7302419;

/**
 * Max rows and bytes moved out of a default partition, and max size of one that is scanned, while all other
 * transactions wait.
 */
const MAX_LATE_ROWS = 1_000;
const MAX_LATE_BYTES = 8 << 20;
const MAX_SCANNED_BYTES = 8 << 20;

/** The suffix of a day's partition, such as `20260301`. */
export function dayName(dayMs: number): string {
  return new Date(dayMs).toISOString().slice(0, 10).replaceAll('-', '');
}

/** First millisecond of a day, from a name by `dayName`. */
export function dayStart(name: string): number {
  return Date.UTC(+name.slice(0, 4), +name.slice(4, 6) - 1, +name.slice(6));
}

interface Day {
  readonly table: keyof typeof partitioned;
  readonly dayMs: number;
  readonly partition: string;
  /** A constraint of the default partition: it holds no row of the day. */
  readonly exclusion: string;
  readonly from: string;
  readonly to: string;
}

function dayOf(table: keyof typeof partitioned, dayMs: number): Day {
  const name = dayName(dayMs);
  return {
    table,
    dayMs,
    partition: `${table}_${name}`,
    exclusion: `none_of_${name}`,
    from: lowestUuid(dayMs),
    to: lowestUuid(dayMs + DAY_MS),
  };
}

/** What the default partition holds of a day that has no partition yet. */
async function lateRows(session: Session, { table, dayMs, exclusion, from, to }: Day) {
  const text = `
SELECT count(*)::int AS rows, coalesce(sum(bytes), 0)::bigint AS bytes,
       pg_relation_size('${table}_default') > ${MAX_SCANNED_BYTES} AS large,
       $3::bigint < extract(epoch FROM muster_now() + interval '1 day') * 1000 AS soon,
       EXISTS (SELECT FROM pg_constraint WHERE conrelid = '${table}_default'::regclass AND conname = '${exclusion}') AS excluded
FROM (
  SELECT pg_column_size(${partitioned[table]}) AS bytes FROM ${table}_default WHERE job_id >= $1 AND job_id < $2
  LIMIT ${MAX_LATE_ROWS + 1}
) AS late`;
  const row = { rows: 'int4', bytes: 'int8', large: 'bool', soon: 'bool', excluded: 'bool' } as const;
  const [late] = await session.run({ name: '', text, row }, [from, to, dayMs]);
  if (!late) throw new Error('no answer');
  return late;
}

/** Waits for another replica that makes a day. Any other lock it awaits no longer than others may wait behind it. */
const script = (body: string) => `
DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(${DAY_LOCK}), set_config('lock_timeout', '100ms', true);
  ${body}
END $$;`;

/** Makes the default partition refuse rows of a day that is still far, so that the attach need not scan it. */
async function exclude(database: Database, { table, exclusion, from, to }: Day): Promise<void> {
  await database.script(
    script(`
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '${table}_default'::regclass AND conname = '${exclusion}') THEN
    ALTER TABLE ${table}_default ADD CONSTRAINT ${exclusion} CHECK (job_id < '${from}' OR job_id >= '${to}') NOT VALID;
  END IF;`),
  );
  // Scans it, while others read and write.
  await database.script(script(`ALTER TABLE ${table}_default VALIDATE CONSTRAINT ${exclusion};`));
}

// LIKE + ATTACH locks the table for SHARE UPDATE EXCLUSIVE only; CREATE ... PARTITION OF would block every reader. The
// default partition is locked against all others, so that comes last. Its rows of the day would prevent the attach.
const attachScript = ({ table, partition, exclusion, from, to }: Day) =>
  script(`
  IF to_regclass('muster.${partition}') IS NOT NULL THEN RETURN; END IF;
  CREATE TABLE ${partition} (LIKE ${table} INCLUDING ALL);
  LOCK TABLE ONLY ${table} IN SHARE UPDATE EXCLUSIVE MODE;
  LOCK TABLE ${table}_default IN ACCESS EXCLUSIVE MODE;
  WITH late AS (DELETE FROM ${table}_default WHERE job_id >= '${from}' AND job_id < '${to}' RETURNING *)
  INSERT INTO ${partition} SELECT * FROM late;
  ALTER TABLE ${table} ATTACH PARTITION ${partition} FOR VALUES FROM ('${from}') TO ('${to}');
  ALTER TABLE ${table}_default DROP CONSTRAINT IF EXISTS ${exclusion};`);

/** Leaves a day in the default partition if the others would have to wait for too much of it. */
async function make(database: Database, day: Day): Promise<void> {
  const { rows, bytes, large, soon, excluded } = await lateRows(database, day);
  if (rows > MAX_LATE_ROWS || bytes > MAX_LATE_BYTES) return;
  if (large && !excluded && (soon || rows > 0)) return;
  if (large || excluded) await exclude(database, day);
  await database.script(attachScript(day));
}

const existing = {
  name: 'list_partitions',
  text: "SELECT relname FROM pg_class WHERE relnamespace = 'muster'::regnamespace AND relispartition",
  row: { relname: 'name' },
} satisfies Statement;

const countAhead = {
  name: 'count_days_ahead',
  text: `
SELECT count(*)::int AS days
FROM generate_series(1, ${DAYS_AHEAD}) AS n, to_char(muster_now() AT TIME ZONE 'UTC' + n * interval '1 day', 'YYYYMMDD') AS day
WHERE ${Object.keys(partitioned)
    .map((table) => `to_regclass('${table}_' || day) IS NOT NULL`)
    .join(' AND ')}`,
  row: { days: 'int4' },
} satisfies Statement;

/** The coming days that have their partitions. */
export async function countDaysAhead(session: Session): Promise<number> {
  return (await session.run(countAhead, []))[0]?.days ?? 0;
}

/**
 * Creates the missing partitions of today and of the days ahead.
 * @throws the database's error with code 55P03 if another transaction holds a lock for longer than 100 ms.
 */
export async function ensurePartitions(database: Database, nowUs: number): Promise<void> {
  const today = Math.floor(nowUs / 1000 / DAY_MS) * DAY_MS;
  const days = Array.from({ length: DAYS_AHEAD + 1 }, (_, ahead) => today + ahead * DAY_MS);
  await makeDays(database, days);
}

/** Creates the missing partitions of days, given by their first milliseconds. */
export async function makeDays(database: Database, days: readonly number[]): Promise<void> {
  const there = new Set((await database.run(existing, [])).map((row) => row.relname));
  for (const table of Object.keys(partitioned) as (keyof typeof partitioned)[]) {
    for (const day of days.map((dayMs) => dayOf(table, dayMs)))
      if (!there.has(day.partition)) await make(database, day);
  }
}
