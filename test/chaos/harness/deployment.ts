/**
 * The deployment of a run: one PostgreSQL and one NATS behind a proxy each, replicas behind theirs, and a folder for
 * the records.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { root } from '../../support/base/checkout.ts';
import type { NatsCluster } from '../../support/base/nats-cluster.ts';
import { makePgBouncer, type PgBouncer } from '../../support/databases/pgbouncer.ts';
import { openPool, type ScratchPostgres, startPostgres } from '../../support/databases/postgres.ts';
import { type Bus, startClusterBus, startServerBus } from './bus.ts';
import { DiskDatabase } from './database/disk-database.ts';
import { MovingDatabase } from './database/moving-database.ts';
import { SlowSync } from './database/slow-sync.ts';
import { SmallDisk } from './database/small-disk.ts';
import { journalSchema } from './journal.ts';
import { WallClocks } from './machine/clocks.ts';
import { addressOf, Line } from './network/line.ts';
import { TcpProxy } from './network/tcp-proxy.ts';
import { ReplicaProcess } from './replica-process.ts';

export interface DeploymentOptions {
  readonly replicas: number;
  readonly beatMs: number;
  readonly leaseMs: number;
  /** Whether the replica, which must be the only one, runs the bus itself. */
  readonly embeddedBus?: boolean;
  /** Whether the bus is a cluster of three nodes. Default: one server. */
  readonly clusteredBus?: boolean;
  /** Whether the address of the database can move to a standby. */
  readonly standby?: boolean;
  /** Whether the database has disks of its own, for its data and for its WAL. Needs root. */
  readonly smallDisk?: boolean;
  /** Checkouts whose `muster` the replicas run, in turn. Default: this one. */
  readonly checkouts?: readonly string[];
  /** Whether each fsync of the database can be made slow. */
  readonly slowSync?: boolean;
  /** Whether PgBouncer, in session mode, stands between the replicas and the database. */
  readonly pooler?: boolean;
  /** More options of `muster start`, by replica. They come after all others, and so take precedence. */
  readonly settings?: readonly (readonly string[])[];
  /** Whether the wall clock of each replica and worker can be moved. Needs a C compiler. */
  readonly clocks?: boolean;
}

export interface Deployment {
  readonly replicas: readonly ReplicaProcess[];
  /** A separate route to the replicas for each worker. */
  readonly lines: readonly Line[];
  /** gRPC target that names all replicas. */
  readonly address: string;
  readonly recordFolder: string;
  /** Past the proxy. */
  readonly database: Pool;
  readonly databaseUrl: string;
  /** The proxy between the replicas and the database. */
  readonly databaseProxy: TcpProxy;
  readonly disk: SmallDisk | undefined;
  /** Undefined: its WAL has no disk of its own. */
  readonly diskDatabase: DiskDatabase | undefined;
  readonly slowSync: SlowSync | undefined;
  readonly pooler: PgBouncer | undefined;
  readonly moving: MovingDatabase | undefined;
  /** In the order of the replicas and of the workers. */
  readonly clocks: WallClocks | undefined;
  readonly beatMs: number;
  /** The longest and the shortest one of a replica. */
  readonly leaseMs: number;
  readonly minLeaseMs: number;
  /** The proxy before the bus; undefined if the bus is embedded or a cluster. */
  readonly busProxy: TcpProxy | undefined;
  readonly busCluster: NatsCluster | undefined;
  /** The proxy before each node of the cluster, for the other nodes. */
  readonly busRoutes: readonly TcpProxy[];
  /** Every port on which any part of it has listened. */
  ports(): number[];
  stop(): Promise<void>;
}

export async function deploy(options: DeploymentOptions, workers: number): Promise<Deployment> {
  const { slowSync, moving, diskDatabase, postgres } = await startDatabase(options);
  const bus = await startBus(options);
  const url = await postgres.createDatabase();
  const disk = options.smallDisk ? await SmallDisk.of(url) : undefined;
  const databaseProxy = await TcpProxy.open();
  const pooler = options.pooler ? await makePgBouncer(url, 'session') : undefined;
  await pooler?.start();
  databaseProxy.aim(pooler?.port ?? Number(new URL(url).port));
  const proxied = Object.assign(new URL(url), { port: String(databaseProxy.port) }).href;
  const times = ['--beat-ms', String(options.beatMs), '--lease-ms', String(options.leaseMs)];
  const common = ['--postgres', proxied, ...(bus?.args ?? []), ...times, '--log-level', 'info'];
  const names = Array.from({ length: options.replicas }, (_, n) => `replica${'abc'[n]}`);
  const clocks = options.clocks ? await WallClocks.make(names.length, workers) : undefined;
  const replicas = await Promise.all(
    names.map((name, n) =>
      ReplicaProcess.create(name, [...common, ...(options.settings?.[n] ?? [])], clocks?.replicas[n]?.environment),
    ),
  );
  const { checkouts = [] } = options;
  for (const [n, replica] of replicas.entries()) replica.checkout = checkouts[n % checkouts.length] ?? root;
  await replicas[0]?.start();
  const database = openPool(url, 2);
  // Before the first session and the first job, so that the journal is complete.
  await database.query(journalSchema);
  await Promise.all(replicas.slice(1).map((replica) => replica.start()));
  const lines = await Promise.all(Array.from({ length: workers }, () => Line.to(replicas)));
  const recordFolder = await mkdtemp(join(tmpdir(), 'muster-chaos-records-'));
  const parts = {
    replicas,
    lines,
    database,
    databaseProxy,
    recordFolder,
    bus,
    postgres,
    disk,
    slowSync,
    pooler,
    clocks,
  };
  return {
    ...parts,
    address: addressOf(replicas.map(({ proxy }) => proxy.port)),
    databaseUrl: url,
    diskDatabase,
    moving,
    beatMs: options.beatMs,
    leaseMs: Math.max(...leasesOf(options)),
    minLeaseMs: Math.min(...leasesOf(options)),
    busProxy: bus?.proxy,
    busCluster: bus?.cluster,
    busRoutes: bus?.routes ?? [],
    ports: () => [
      ...replicas.flatMap(({ proxy, ports }) => [proxy.port, ...ports]),
      Number(new URL(url).port),
      ...lines.flatMap((line) => line.ports),
      databaseProxy.port,
      ...(pooler ? [pooler.port] : []),
      ...(bus?.ports ?? []),
    ],
    stop: () => tearDown(parts),
  };
}

interface Database {
  readonly postgres: Pick<ScratchPostgres, 'createDatabase' | 'stop'>;
  readonly slowSync: SlowSync | undefined;
  readonly moving: MovingDatabase | undefined;
  readonly diskDatabase: DiskDatabase | undefined;
}

async function startDatabase(options: DeploymentOptions): Promise<Database> {
  const slowSync = options.slowSync ? await SlowSync.make() : undefined;
  const how = { settings: { shared_buffers: '64MB' }, environment: slowSync?.environment };
  const moving = options.standby ? await MovingDatabase.start(how) : undefined;
  const diskDatabase = options.smallDisk ? await DiskDatabase.start(how) : undefined;
  return { slowSync, moving, diskDatabase, postgres: moving ?? diskDatabase ?? (await startPostgres(how)) };
}

/** Of the replicas. */
function leasesOf({ replicas, leaseMs, settings = [] }: DeploymentOptions): number[] {
  return Array.from({ length: replicas }, (_, n) => {
    const words = settings[n] ?? [];
    return words.includes('--lease-ms') ? Number(words[words.indexOf('--lease-ms') + 1]) : leaseMs;
  });
}

function startBus({ embeddedBus, clusteredBus }: DeploymentOptions): Promise<Bus> | undefined {
  if (embeddedBus) return undefined;
  return clusteredBus ? startClusterBus() : startServerBus();
}

interface Parts {
  readonly lines: readonly Line[];
  readonly replicas: readonly ReplicaProcess[];
  readonly database: Pool;
  readonly databaseProxy: TcpProxy;
  readonly recordFolder: string;
  readonly bus: Bus | undefined;
  readonly postgres: Pick<ScratchPostgres, 'stop'>;
  readonly disk: SmallDisk | undefined;
  readonly slowSync: SlowSync | undefined;
  readonly pooler: PgBouncer | undefined;
  readonly clocks: WallClocks | undefined;
}

async function tearDown(parts: Parts): Promise<void> {
  const { replicas, lines, database, databaseProxy, bus, pooler } = parts;
  await Promise.all(replicas.map((replica) => replica.stop()));
  await Promise.all(lines.map((line) => line.close()));
  await database.end();
  await databaseProxy.close();
  await Promise.all([bus?.stop(), pooler?.stop()]);
  await parts.postgres.stop();
  parts.disk?.unmount();
  parts.slowSync?.remove();
  parts.clocks?.remove();
  await rm(parts.recordFolder, { recursive: true, force: true });
}
