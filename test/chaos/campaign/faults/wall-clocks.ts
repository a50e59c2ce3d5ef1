/**
 * Steps of the clock of a single replica or worker: times, delays and leases are the database's, so nothing may happen
 * too early or too late.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../../support/base/eventually.ts';
import type { ReplicaProcess } from '../../harness/replica-process.ts';
import { notePromptness } from '../promptness.ts';
import type { World } from '../world.ts';
import { type Fault, lackOfCompiler, require } from './fault.ts';

const HOUR_MS = 3_600_000;
/** The step is exact, but not the moments at which two clocks are read. */
const READING_MS = 5_000;
const DELAY_MS = 2_000;
/** What a busy machine may add. */
const MACHINE_MS = 2_000;
/** With a round of the sweeper. */
const LATE_MS = 1_100 + MACHINE_MS;
const ROUND_TRIP_MS = 10;

const isNear = (aheadMs: number, ms: number) => Math.abs(aheadMs - ms) < READING_MS;

function replicaStepped(name: string, ms: number): Fault {
  return {
    name,
    lack: lackOfCompiler,
    async inflict(world) {
      const { run, dice } = world;
      const { replicas, clocks, leaseMs } = run.deployment;
      const n = dice.int(0, replicas.length - 1);
      const replica = replicas[n] as ReplicaProcess;
      const clock = clocks?.replicas[n];
      try {
        clock?.set(ms);
        const aheadMs = (await replica.wallClock()) - Date.now();
        await checkDelay(world, replica);
        await Promise.all([delay(1.5 * leaseMs), run.progress(20)]);
        const late = await notePromptness(world, ROUND_TRIP_MS);
        return require(isNear(aheadMs, ms), `${Math.round(aheadMs / 1_000)} s ahead; a lapse noticed ${late}`);
      } finally {
        clock?.set(0);
      }
    },
  };
}

interface Readiness {
  /** From its creation until it is due, in ms. */
  readonly planned: number;
  readonly late: number;
}

/** A job that is delayed through this replica is READY when its time has come. */
async function checkDelay({ run, violations }: World, { name, proxy }: ReplicaProcess): Promise<void> {
  const client = run.load.client(`127.0.0.1:${proxy.port}`);
  try {
    const job = await run.load.submit(client, { definition: 'quick', delayMs: DELAY_MS });
    const read = async () => {
      const rows = await run.facts.query<Readiness>(
        `SELECT (extract(epoch FROM ready.until - created.at) * 1000)::float8 AS planned,
                (extract(epoch FROM ready.at - ready.until) * 1000)::float8 AS late
         FROM muster.chaos_journal created JOIN muster.chaos_journal ready USING (id)
         WHERE id = $1 AND created.kind = 'create' AND ready.kind = 'move' AND ready.from_state = 2`,
        [job],
      );
      return rows[0];
    };
    const { planned, late } = await eventually('a delayed job is READY', read, { timeoutMs: 120_000, everyMs: 50 });
    const isOnTime = late >= 0 && late <= LATE_MS && Math.abs(planned - DELAY_MS) <= MACHINE_MS;
    if (!isOnTime)
      violations.push(`a job through ${name} was to be delayed by ${DELAY_MS} ms: ${planned} planned, ${late} late`);
  } finally {
    client.close();
  }
}

function workerStepped(name: string, ms: number): Fault {
  return {
    name,
    lack: lackOfCompiler,
    async inflict({ run, dice, violations }) {
      const { clocks, leaseMs } = run.deployment;
      // The others keep no records.
      const recording = run.workers.filter(({ place }) => typeof place.language === 'string');
      const worker = dice.pick(recording);
      const clock = clocks?.workers[run.workers.indexOf(worker)];
      await worker.ready();
      const life = worker.name;
      try {
        clock?.set(ms);
        const read = () => worker.records().find(({ aheadMs = 0 }) => isNear(aheadMs, ms))?.aheadMs;
        const aheadMs = await eventually(`${life} records its clock`, read, { timeoutMs: 60_000, everyMs: 100 });
        await Promise.all([delay(2 * leaseMs), run.progress(20)]);
        if (worker.name === life && (await run.facts.hasLapsed(life)))
          violations.push(`the session of ${life} lapsed when its clock was moved`);
        return `${life} is ${Math.round(aheadMs / 1_000)} s ahead`;
      } finally {
        clock?.set(0);
      }
    },
  };
}

export const wallClockFaults: readonly Fault[] = [
  replicaStepped('clock of a replica an hour ahead', HOUR_MS),
  replicaStepped('clock of a replica an hour behind', -HOUR_MS),
  workerStepped('clock of a worker an hour ahead', HOUR_MS),
  workerStepped('clock of a worker an hour behind', -HOUR_MS),
];
