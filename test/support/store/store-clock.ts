/** Moves the database's clock, in a database used by one test only. */
import type { StoreContext } from './store-context.ts';

/** From now on the clock is `ms` later, or earlier if negative. */
export async function moveClock(context: Pick<StoreContext, 'database'>, ms: number): Promise<void> {
  await context.database.script(
    `CREATE OR REPLACE FUNCTION muster.muster_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
     AS 'SELECT clock_timestamp() + ${ms} * interval ''1 ms'''`,
  );
}

/** From now on the clock stands still at a time such as `2026-11-25 12:00:30Z`. */
export async function stopClock(context: Pick<StoreContext, 'database'>, time: string): Promise<void> {
  await context.database.script(
    `CREATE OR REPLACE FUNCTION muster.muster_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
     AS 'SELECT timestamptz ''${time}'''`,
  );
}
