/** Partitions by the day of the job id: created three days ahead, so that no insert ever waits for one. */
import { lowestUuid } from '../../domain/base/uuid.ts';
import type { Database, Statement } from '../driver/database.ts';

export const DAY_MS = 86_400_000;
const DAYS_AHEAD = 3;
const partitioned = ['jobs', 'job_outcomes'];
const TRIES = 5;

/** The suffix of a day's partition, such as `20260301`. */
export function dayName(dayMs: number): string {
  return new Date(dayMs).toISOString().slice(0, 10).replaceAll('-', '');
}

/** First millisecond of a day, from a name by `dayName`. */
export function dayStart(name: string): number {
  return Date.UTC(+name.slice(0, 4), +name.slice(4, 6) - 1, +name.slice(6));
}

function script(table: string, dayMs: number): string {
  const name = `${table}_${dayName(dayMs)}`;
  const [from, to] = [lowestUuid(dayMs), lowestUuid(dayMs + DAY_MS)];
  // LIKE + ATTACH locks the parent for SHARE UPDATE EXCLUSIVE only; CREATE ... PARTITION OF would block every reader.
  // Rows of the day that went to the default partition, because this came too late, would prevent the attach for ever.
  return `
SET LOCAL lock_timeout = '100ms';
DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(7302419);
  IF to_regclass('muster.${name}') IS NULL THEN
    CREATE TABLE ${name} (LIKE ${table} INCLUDING ALL);
    LOCK TABLE ${table}_default IN ACCESS EXCLUSIVE MODE;
    WITH late AS (DELETE FROM ${table}_default WHERE job_id >= '${from}' AND job_id < '${to}' RETURNING *)
    INSERT INTO ${name} SELECT * FROM late;
    ALTER TABLE ${table} ATTACH PARTITION ${name} FOR VALUES FROM ('${from}') TO ('${to}');
  END IF;
END $$;`;
}

const existing = {
  name: 'list_partitions',
  text: "SELECT relname FROM pg_class WHERE relnamespace = 'muster'::regnamespace AND relispartition",
  row: { relname: 'name' },
} satisfies Statement;
const LOCK_NOT_AVAILABLE = '55P03';

async function make(database: Database, table: string, dayMs: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.script(script(table, dayMs));
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE || attempt === TRIES) throw error;
    }
  }
}

/** Creates the missing partitions of today and of the next three days. */
export async function ensurePartitions(database: Database, nowUs: number): Promise<void> {
  const today = Math.floor(nowUs / 1000 / DAY_MS) * DAY_MS;
  const days = Array.from({ length: DAYS_AHEAD + 1 }, (_, ahead) => today + ahead * DAY_MS);
  await makeDays(database, days);
}

/** Creates the missing partitions of days, given by their first milliseconds. */
export async function makeDays(database: Database, days: readonly number[]): Promise<void> {
  const there = new Set((await database.run(existing, [])).map((row) => row.relname));
  for (const table of partitioned) {
    for (const dayMs of days) if (!there.has(`${table}_${dayName(dayMs)}`)) await make(database, table, dayMs);
  }
}
