/** The promise that a dead worker is noticed: an upper bound, measured with the database's own clock. */
import { eventually } from '../../support/base/eventually.ts';
import type { World } from './world.ts';

/** The longest time from one round of the sweeper to the next one. */
const ROUND_MS = 1_100;
const ROUND_TRIPS = 4;
/** A busy machine may let a process wait this long. */
const MACHINE_MS = 2_000;

interface Closing {
  readonly late: number;
}

/** Kills a worker and waits until its session lapses. Resolves with the delay after the end of the lease, as text. */
export async function notePromptness({ run, dice, violations }: World, roundTripMs: number): Promise<string> {
  const worker = dice.pick(run.singleProcesses());
  await worker.ready();
  const { name } = worker;
  await worker.kill();
  const read = async () => {
    const rows = await run.facts.query<Closing>(
      `SELECT (extract(epoch FROM at - until) * 1000)::float8 AS late FROM muster.chaos_journal
       WHERE kind = 'session' AND text = $1 AND from_state = 1 AND to_state = 2`,
      [name],
    );
    return rows[0];
  };
  const { late } = await eventually(`the session of ${name} has lapsed`, read, { timeoutMs: 120_000, everyMs: 50 });
  const bound = ROUND_MS + ROUND_TRIPS * roundTripMs + MACHINE_MS;
  if (late > bound)
    violations.push(`the lapse of ${name} was noticed ${Math.round(late)} ms late, more than ${bound} ms`);
  return `${Math.round(late)} ms after the end of the lease`;
}
