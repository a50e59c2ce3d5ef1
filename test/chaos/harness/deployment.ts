/**
 * The deployment of a run: one PostgreSQL and one NATS behind a proxy each, replicas behind theirs, and a folder for
 * the records.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { type ScratchNats, startNats } from '../../support/base/nats.ts';
import { openPool, type ScratchPostgres, startPostgres } from '../../support/databases/postgres.ts';
import { journalSchema } from './journal.ts';
import { addressOf, Line } from './line.ts';
import { ReplicaProcess } from './replica-process.ts';
import { TcpProxy } from './tcp-proxy.ts';

export interface DeploymentOptions {
  readonly replicas: number;
  readonly beatMs: number;
  readonly leaseMs: number;
  /** Whether the replica, which must be the only one, runs the bus itself. */
  readonly embeddedBus?: boolean;
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
  readonly beatMs: number;
  readonly leaseMs: number;
  /** The proxy before the bus; undefined if the bus is embedded. */
  readonly busProxy: TcpProxy | undefined;
  /** Every port on which any part of it has listened. */
  ports(): number[];
  stop(): Promise<void>;
}

export async function deploy(options: DeploymentOptions, workers: number): Promise<Deployment> {
  const postgres = await startPostgres({ settings: { shared_buffers: '64MB' } });
  const bus = options.embeddedBus ? undefined : await startBus();
  const url = await postgres.createDatabase();
  const databaseProxy = await TcpProxy.open();
  databaseProxy.aim(Number(new URL(url).port));
  const proxied = Object.assign(new URL(url), { port: String(databaseProxy.port) }).href;
  const times = ['--beat-ms', String(options.beatMs), '--lease-ms', String(options.leaseMs)];
  const args = ['--postgres', proxied, ...(bus?.args ?? []), ...times, '--log-level', 'info'];
  const names = Array.from({ length: options.replicas }, (_, n) => `replica${'abc'[n]}`);
  const replicas = await Promise.all(names.map((name) => ReplicaProcess.create(name, args)));
  await replicas[0]?.start();
  const database = openPool(url, 2);
  // Before the first session and the first job, so that the journal is complete.
  await database.query(journalSchema);
  await Promise.all(replicas.slice(1).map((replica) => replica.start()));
  const lines = await Promise.all(Array.from({ length: workers }, () => Line.to(replicas)));
  const recordFolder = await mkdtemp(join(tmpdir(), 'muster-chaos-records-'));
  return {
    replicas,
    lines,
    address: addressOf(replicas.map(({ proxy }) => proxy.port)),
    recordFolder,
    database,
    databaseUrl: url,
    databaseProxy,
    beatMs: options.beatMs,
    leaseMs: options.leaseMs,
    busProxy: bus?.proxy,
    ports: () => [
      ...replicas.flatMap(({ proxy, ports }) => [proxy.port, ...ports]),
      ...[url, bus?.nats.url].flatMap((known) => (known ? [Number(new URL(known).port)] : [])),
      ...lines.flatMap((line) => line.ports),
      databaseProxy.port,
      ...(bus ? [bus.proxy.port] : []),
    ],
    stop: () => tearDown({ replicas, lines, database, databaseProxy, recordFolder, bus, postgres }),
  };
}

async function startBus(): Promise<{ nats: ScratchNats; proxy: TcpProxy; args: string[] }> {
  const nats = await startNats();
  const proxy = await TcpProxy.open();
  proxy.aim(Number(new URL(nats.url).port));
  const files = ['--nats-credentials', nats.credentialsFile, '--nats-signing-seed', nats.signingSeedFile];
  return { nats, proxy, args: ['--nats', `nats://127.0.0.1:${proxy.port}`, ...files] };
}

interface Parts {
  readonly lines: readonly Line[];
  readonly replicas: readonly ReplicaProcess[];
  readonly database: Pool;
  readonly databaseProxy: TcpProxy;
  readonly recordFolder: string;
  readonly bus: { nats: ScratchNats; proxy: TcpProxy } | undefined;
  readonly postgres: ScratchPostgres;
}

async function tearDown({
  replicas,
  lines,
  database,
  databaseProxy,
  recordFolder,
  bus,
  postgres,
}: Parts): Promise<void> {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await Promise.all(lines.map((line) => line.close()));
  await database.end();
  await Promise.all([databaseProxy.close(), bus?.proxy.close()]);
  await Promise.all([bus?.nats.stop(), postgres.stop()]);
  await rm(recordFolder, { recursive: true, force: true });
}
