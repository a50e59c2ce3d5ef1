/**
 * Steps of the database's clock: replicas notice each, and go by the old time meanwhile. Afterwards leases are as long as
 * before.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../../support/base/eventually.ts';
import { notePromptness } from '../promptness.ts';
import type { World } from '../world.ts';
import { type Fault, require } from './fault.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ROUND_TRIP_MS = 10;
const NOTICED = /the clock of the database has stepped/;
/** A step that lasts for ten seconds is accepted. */
const NOTICE_MS = 8_000;

function clockStepped(name: string, ms: number): Fault {
  return {
    name,
    async inflict(world) {
      const { run, expectedErrors, violations } = world;
      expectedErrors.push(NOTICED);
      const { replicas, leaseMs } = run.deployment;
      const before = replicas.map(countOfNotices);
      const noticed = () => replicas.every((replica, n) => countOfNotices(replica) > (before[n] ?? 0));
      const start = performance.now();
      const steppedMs = await whileStepped(world, ms, async () => {
        const wait = eventually('each replica notices the step', noticed, { timeoutMs: NOTICE_MS, everyMs: 50 });
        await wait.catch((error: Error) => violations.push(`${name}: ${error.message}`));
      });
      const took = Math.round(performance.now() - start);
      // No lapse is judged for a lease.
      await Promise.all([delay(1.5 * leaseMs), run.progress(10)]);
      const late = await notePromptness(world, ROUND_TRIP_MS);
      const what = `a step of ${Math.round(steppedMs / 60_000)} minutes for ${took} ms; a lapse noticed ${late}`;
      return require(Math.abs(steppedMs - ms) < MINUTE_MS, what);
    },
  };
}

/** Resolves with the step that a replica may read meanwhile. */
async function whileStepped({ run }: World, ms: number, work: () => Promise<void>): Promise<number> {
  const { facts } = run;
  const [clock] = await facts.query<{ text: string }>(
    "SELECT pg_get_functiondef('muster.muster_now'::regproc) AS text",
  );
  if (!clock) throw new Error('there is no muster_now()');
  await facts.query(`CREATE OR REPLACE FUNCTION muster.muster_now() RETURNS timestamptz LANGUAGE sql
    VOLATILE PARALLEL SAFE AS 'SELECT clock_timestamp() + ${ms} * interval ''1 ms'''`);
  try {
    await work();
    const text = 'SELECT (extract(epoch FROM muster.muster_now() - clock_timestamp()) * 1000)::float8 AS ms';
    return (await facts.query<{ ms: number }>(text))[0]?.ms ?? 0;
  } finally {
    await facts.query(clock.text);
  }
}

function countOfNotices({ lines }: { readonly lines: readonly string[] }): number {
  return lines.filter((line) => NOTICED.test(line)).length;
}

export const clockFaults: readonly Fault[] = [
  clockStepped('clock of the database an hour ahead for some seconds', HOUR_MS),
  clockStepped('clock of the database an hour behind for some seconds', -HOUR_MS),
];
