/** Steps of the database's clock: replicas notice each, and go by the old time meanwhile. */
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../../support/base/eventually.ts';
import { type Fault, require } from './fault.ts';

const HOUR_MS = 3_600_000;
const NOTICED = /the clock of the database has stepped/;
/** A step that lasts for ten seconds is accepted. */
const NOTICE_MS = 8_000;

function clockStepped(name: string, ms: number): Fault {
  return {
    name,
    async inflict({ run, expectedErrors }) {
      expectedErrors.push(NOTICED);
      const { replicas, leaseMs } = run.deployment;
      const before = replicas.map(countOfNotices);
      const noticed = () => replicas.every((replica, n) => countOfNotices(replica) > (before[n] ?? 0));
      const [clock] = await run.facts.query<{ text: string }>(
        "SELECT pg_get_functiondef('muster.muster_now'::regproc) AS text",
      );
      if (!clock) throw new Error('there is no muster_now()');
      const start = performance.now();
      await run.facts.query(`CREATE OR REPLACE FUNCTION muster.muster_now() RETURNS timestamptz LANGUAGE sql
        VOLATILE PARALLEL SAFE AS 'SELECT clock_timestamp() + ${ms} * interval ''1 ms'''`);
      try {
        await eventually('each replica notices the step', noticed, { timeoutMs: NOTICE_MS, everyMs: 50 });
      } finally {
        await run.facts.query(clock.text);
      }
      const took = Math.round(performance.now() - start);
      // No lapse is judged for a lease.
      await Promise.all([delay(1.5 * leaseMs), run.progress(10)]);
      return require(noticed(), `noticed by ${replicas.length} replicas within ${took} ms`);
    },
  };
}

function countOfNotices({ lines }: { readonly lines: readonly string[] }): number {
  return lines.filter((line) => NOTICED.test(line)).length;
}

export const clockFaults: readonly Fault[] = [
  clockStepped('clock of the database an hour ahead for some seconds', HOUR_MS),
  clockStepped('clock of the database an hour behind for some seconds', -HOUR_MS),
];
