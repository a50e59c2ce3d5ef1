/** A database that is slow, silent, or out of connections. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { eventually } from '../../../support/base/eventually.ts';
import { notePromptness } from '../promptness.ts';
import type { World } from '../world.ts';
import { type Fault, lackOfPooler, require, seconds } from './fault.ts';

/** A region of the same continent, and one on the other side of the world behind a busy link. */
const ROUND_TRIPS_MS = [120, 500];
const ROUND_TRIPS_PER_BEAT = 5;
const STATEMENTS_PER_SECOND = 20;
const THIN_DATABASE = { bytesPerSecond: 1 << 20 };
const ANSWER_BYTES = 512 << 10;
/** A connection that another client gives back is free for the replicas. */
const MAX_LEFT = 3;
const TOO_MANY_CONNECTIONS = '53300';

/** The time of a query through the proxy of the database, in ms; connecting does not count. */
export async function timeOf({ run }: World, query: string, timeoutMs = 60_000): Promise<number> {
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

const databaseAway = (roundTripMs: number): Fault => ({
  name: `database ${roundTripMs} ms away, and a worker killed`,
  // With less, sessions stay deaf, or statements wait for connections: docs/operations.md says what a far database needs.
  fits: ({ beatMs, minConnections }) =>
    beatMs >= ROUND_TRIPS_PER_BEAT * roundTripMs && minConnections >= (STATEMENTS_PER_SECOND * roundTripMs) / 1_000,
  async inflict(world) {
    const { databaseProxy, leaseMs } = world.run.deployment;
    databaseProxy.slow({ delayMs: roundTripMs / 2 });
    try {
      const took = await timeOf(world, 'SELECT 1');
      // Replicas judge lapses after a lease without a gap.
      await Promise.all([delay(1.5 * leaseMs), world.run.progress(5)]);
      const late = await notePromptness(world, roundTripMs);
      return require(took >= roundTripMs, `a round trip of ${Math.round(took)} ms; a lapse noticed ${late}`);
    } finally {
      databaseProxy.slow();
    }
  },
});

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

const connectionsTaken: Fault = {
  name: 'all connections of PostgreSQL taken by others for longer than a lease',
  // It keeps connections for the replicas.
  fits: ({ pooler }) => !pooler,
  async inflict({ run }) {
    const { databaseUrl, databaseProxy, leaseMs } = run.deployment;
    const port = databaseProxy.target;
    const taken: pg.Client[] = [];
    const areTaken = async () => {
      while (await takeOne(databaseUrl, taken));
      return (await countOfMuster(taken)) === 0;
    };
    // The replicas would have their connections again at once.
    databaseProxy.aim(undefined);
    databaseProxy.cut();
    try {
      await eventually('others have all connections', areTaken, { everyMs: 20 });
      databaseProxy.aim(port);
      await delay(1.3 * leaseMs);
      const left = await countOfMuster(taken);
      return require(left < MAX_LEFT, `${taken.length} taken, ${left} left for the replicas`);
    } finally {
      databaseProxy.aim(port);
      await Promise.all(taken.map((client) => client.end()));
    }
  },
};

async function takeOne(url: string, taken: pg.Client[]): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    if ((error as pg.DatabaseError).code === TOO_MANY_CONNECTIONS) return false;
    throw error;
  }
  taken.push(client);
  return true;
}

async function countOfMuster([client]: readonly pg.Client[]): Promise<number> {
  const text = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'muster'";
  return (await client?.query<{ n: number }>(text))?.rows[0]?.n ?? 0;
}

const poolerAway: Fault = {
  name: 'PgBouncer in session mode away for half a lease',
  fits: ({ pooler }) => pooler,
  lack: lackOfPooler,
  async inflict({ run }) {
    const { pooler, databaseProxy, leaseMs } = run.deployment;
    if (!pooler) throw new Error('there is no PgBouncer');
    const before = databaseProxy.connections;
    await pooler.kill();
    await eventually('its connections have ended', () => databaseProxy.connections === 0);
    await delay(leaseMs / 2);
    await pooler.start();
    await run.progress(10);
    return require(before > 0, `${before} connections ended, away for ${seconds(leaseMs / 2)}`);
  },
};

export const databaseFaults: readonly Fault[] = [
  ...ROUND_TRIPS_MS.map(databaseAway),
  databaseThin,
  databaseGone,
  backendsEnded,
  connectionsTaken,
  poolerAway,
];
