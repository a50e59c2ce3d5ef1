/** The only place that builds and wires a replica: store, bus, engine, API. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { startGrpcServer } from './api/grpc-server.ts';
import { startHealthServer } from './api/health.ts';
import { services } from './api/service.ts';
import { PROTOCOL_VERSION } from './api/services/sessions.ts';
import { connectBus } from './bus/connect-bus.ts';
import type { Config } from './config.ts';
import { lockDataFolder } from './data-lock.ts';
import { armKillPoint, killPoint } from './engine/kill-points.ts';
import type { Log } from './engine/ports.ts';
import { createReplica } from './engine/replica.ts';
import type { Database } from './store/database.ts';
import { failureText } from './store/failure-text.ts';
import { firstContact } from './store/first-contact.ts';
import { migrate } from './store/migrate.ts';
import { openPglite } from './store/pglite.ts';
import { openPostgres } from './store/postgres.ts';
import { createStore } from './store/store.ts';
import { systemClock, systemRandom, systemTimers } from './system.ts';
import { version } from './version.ts';

export interface RunningReplica {
  readonly grpcAddress: string;
  readonly httpAddress: string;
  /** Stops taking calls, finishes what is under way, and closes everything. */
  stop(): Promise<void>;
}

/** Undoes what was opened, in the opposite order; a part that can't be closed does not keep the others open. */
class Closers {
  #closers: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be closed');
  }
}

async function openDatabase(config: Config, closers: Closers, log: Log): Promise<Database> {
  const database = await openDriver(config);
  closers.add(() => database.close());
  if (config.postgresUrl) {
    await firstContact(database, { onWait: (problem) => log.warn({ problem }, 'waits for PostgreSQL to take calls') });
  }
  return database;
}

async function openDriver(config: Config): Promise<Database> {
  if (config.postgresUrl) {
    return openPostgres({ url: config.postgresUrl, beforeCommit: () => killPoint('transaction.before_commit') });
  }
  const folder = join(config.dataFolder, 'postgres');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return openPglite({ dataDir: folder });
}

function busOptions(config: Config, log: Log) {
  if (config.natsUrls.length === 0) return { mode: 'embedded', dataFolder: config.dataFolder, log } as const;
  return {
    mode: 'external',
    urls: config.natsUrls,
    credentialsFile: config.natsCredentialsFile,
    signingSeedFile: config.natsSigningSeedFile,
    log,
  } as const;
}

/** @throws Error that says what could not be opened and what to do about it; then nothing stays open. */
export async function startReplica(given: Config): Promise<RunningReplica> {
  const config = { ...given, dataFolder: resolve(given.dataFolder) };
  const log: Log = pino({ level: config.logLevel, base: null }, pino.destination({ fd: 2, sync: true }));
  const crash = process.env.MUSTER_KILL_POINT;
  // Only crash tests set it.
  if (crash) armKillPoint(crash, () => process.kill(process.pid, 'SIGKILL'));
  const closers = new Closers();
  try {
    return await start(config, log, closers);
  } catch (error) {
    await closers.run().catch(() => {});
    throw error;
  }
}

async function start(config: Config, log: Log, closers: Closers): Promise<RunningReplica> {
  const embedded = !config.postgresUrl || config.natsUrls.length === 0;
  if (embedded) closers.add(lockDataFolder(config.dataFolder));
  const database = await openDatabase(config, closers, log);
  const migrations = await migrate(database);
  if (migrations.length > 0) log.info({ migrations }, 'brought the schema up to date');
  const store = createStore(database);
  const bus = await connectBus(busOptions(config, log));
  closers.add(() => bus.close());
  const times = { beatMs: config.beatMs, leaseMs: config.leaseMs };
  const replica = createReplica({
    store,
    bus,
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    log,
    times,
    failureText,
  });
  await replica.prepare();
  const answers = async () => {
    const nowUs = await store.nowUs().catch(() => undefined);
    const time = nowUs === undefined ? undefined : new Date(nowUs / 1_000).toISOString();
    return { database: nowUs !== undefined, bus: bus.isUp(), time };
  };
  const release = { version, protocolVersion: PROTOCOL_VERSION };
  const health = await startHealthServer(config.host, config.httpPort, release, answers);
  closers.add(() => health.stop());
  closers.add(() => replica.stop());
  const server = await startGrpcServer(services(replica), { host: config.host, port: config.grpcPort, log });
  // Waiting callers are let go first: a wait must not hold the server's stop for minutes.
  closers.add(() => server.stop());
  closers.add(() => replica.waits.stop());
  replica.start();
  return {
    grpcAddress: `${config.host}:${server.port}`,
    httpAddress: `http://${config.host}:${health.port}`,
    stop: () => closers.run(),
  };
}
