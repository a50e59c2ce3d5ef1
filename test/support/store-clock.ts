/** The database's clock, moved: in a database of the test's own. */
import type { StoreContext } from './store-context.ts';

/** From now on it is so much later there, or earlier. */
export async function moveClock(context: Pick<StoreContext, 'database'>, ms: number): Promise<void> {
  await context.database.script(
    `CREATE OR REPLACE FUNCTION muster.muster_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
     AS 'SELECT clock_timestamp() + ${ms} * interval ''1 ms'''`,
  );
}
