/**
 * The faults of the campaign that last: slow, stopped and cut-off parts. Each measures that it bit: a fault that changed
 * nothing proves nothing.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { eventually } from '../../support/base/eventually.ts';
import type { ReplicaProcess } from '../harness/replica-process.ts';
import { notePromptness } from './promptness.ts';
import type { World } from './world.ts';

export interface Fault {
  readonly name: string;
  /** Injects it and ends it. Resolves with the measurement that it bit. @throws if it did not */
  inflict(world: World): Promise<string>;
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

const SLOW_DATABASE = { delayMs: 60 };
const ROUND_TRIP_MS = 2 * SLOW_DATABASE.delayMs;
const THIN_DATABASE = { bytesPerSecond: 1 << 20 };
const ANSWER_BYTES = 512 << 10;
/** A timer may fire this much too early. */
const TIMER_MS = 5;

/** The time of a query through the proxy of the database, in ms; connecting does not count. */
async function timeOf({ run }: World, query: string, timeoutMs = 60_000): Promise<number> {
  const { databaseUrl, databaseProxy } = run.deployment;
  const url = Object.assign(new URL(databaseUrl), { port: String(databaseProxy.port) }).href;
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs });
  client.on('error', () => {});
  try {
    await client.connect();
    const start = performance.now();
    await client.query(query);
    return performance.now() - start;
  } finally {
    await client.end().catch(() => {});
  }
}

function require(bit: boolean, what: string): string {
  if (!bit) throw new Error(`the fault did not bite: ${what}`);
  return what;
}

function isStopped({ pid, name }: ReplicaProcess): boolean {
  if (pid === undefined) throw new Error(`${name} does not run`);
  return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

function replicaStopped(leases: number): Fault {
  return {
    name: `replica stopped for ${leases} leases`,
    async inflict({ run, dice }) {
      const replica = dice.pick(run.deployment.replicas);
      replica.signal('SIGSTOP');
      await eventually(`${replica.name} is stopped`, () => isStopped(replica));
      const start = performance.now();
      // The others serve meanwhile.
      await Promise.all([delay(leases * run.deployment.leaseMs), run.progress(10)]);
      const took = performance.now() - start;
      replica.signal('SIGCONT');
      return require(took >= leases * run.deployment.leaseMs - TIMER_MS, `stopped for ${seconds(took)}`);
    },
  };
}

const replicasAway: Fault = {
  name: 'all replicas away for longer than a lease',
  async inflict({ run, dice }) {
    const { replicas, leaseMs } = run.deployment;
    const start = performance.now();
    await Promise.all(replicas.map((replica) => replica.kill()));
    await delay(leaseMs * (1.2 + dice.next()));
    const took = performance.now() - start;
    await Promise.all(replicas.map((replica) => replica.start()));
    return require(took > leaseMs, `away for ${seconds(took)}`);
  },
};

const databaseSlow: Fault = {
  name: 'database 120 ms away, and a worker killed',
  async inflict(world) {
    const { databaseProxy, leaseMs } = world.run.deployment;
    databaseProxy.slow(SLOW_DATABASE);
    try {
      const took = await timeOf(world, 'SELECT 1');
      // Replicas judge lapses after a lease without a gap.
      await Promise.all([delay(1.5 * leaseMs), world.run.progress(5)]);
      const late = await notePromptness(world, ROUND_TRIP_MS);
      return require(took >= ROUND_TRIP_MS, `a round trip of ${Math.round(took)} ms; a lapse noticed ${late}`);
    } finally {
      databaseProxy.slow();
    }
  },
};

const workerKilled: Fault = {
  name: 'worker killed, and nothing else',
  async inflict(world) {
    // An earlier fault may have made a gap: then replicas wait for a lease.
    await Promise.all([delay(1.5 * world.run.deployment.leaseMs), world.run.progress(5)]);
    return `its lapse was noticed ${await notePromptness(world, 10)}`;
  },
};

const databaseThin: Fault = {
  name: 'database behind 1 MB/s',
  async inflict(world) {
    const { databaseProxy, leaseMs } = world.run.deployment;
    databaseProxy.slow(THIN_DATABASE);
    try {
      const [took] = await Promise.all([
        timeOf(world, `SELECT repeat('x', ${ANSWER_BYTES})`),
        delay(2 * leaseMs),
        world.run.progress(10),
      ]);
      const least = (ANSWER_BYTES / THIN_DATABASE.bytesPerSecond) * 900;
      return require(took >= least, `512 KiB took ${Math.round(took)} ms`);
    } finally {
      databaseProxy.slow();
    }
  },
};

const databaseGone: Fault = {
  name: 'database silent for longer than a lease',
  async inflict(world) {
    const { databaseProxy, leaseMs } = world.run.deployment;
    databaseProxy.stall();
    try {
      const answered = timeOf(world, 'SELECT 1', leaseMs).then(
        () => true,
        () => false,
      );
      await delay(1.3 * leaseMs);
      return require(!(await answered), `no answer within ${seconds(leaseMs)}`);
    } finally {
      databaseProxy.resume();
      databaseProxy.cut();
    }
  },
};

const backendsEnded: Fault = {
  name: 'all database connections ended every 2 s',
  async inflict({ run }) {
    let ended = 0;
    for (let n = 0; n < 5; n++) {
      const text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'muster'";
      ended += (await run.facts.query(text)).length;
      await delay(2_000);
    }
    return require(ended >= 5, `${ended} connections`);
  },
};

const busGone: Fault = {
  name: 'bus away for longer than a lease',
  async inflict({ run }) {
    const { busProxy, leaseMs } = run.deployment;
    if (!busProxy) throw new Error('the bus is embedded');
    const port = busProxy.target;
    busProxy.aim(undefined);
    busProxy.cut();
    // Assignments come with heartbeats meanwhile.
    await Promise.all([delay(1.5 * leaseMs), run.progress(5)]);
    busProxy.aim(port);
    return `away for ${seconds(1.5 * leaseMs)}`;
  },
};

export const lastingFaults: readonly Fault[] = [
  replicaStopped(0.5),
  replicaStopped(2),
  replicaStopped(10),
  replicasAway,
  databaseSlow,
  workerKilled,
  databaseThin,
  databaseGone,
  backendsEnded,
  busGone,
];
