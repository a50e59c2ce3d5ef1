/** The only place that builds and wires a replica: store, bus, engine, API. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Calls, currentCall } from './api/base/calls.ts';
import { connectHandlers } from './api/base/servers/connect-handlers.ts';
import { startGrpcServer } from './api/base/servers/grpc-server.ts';
import type { Health } from './api/base/servers/health.ts';
import { startHttpServer } from './api/base/servers/http-server.ts';
import { IncomingBytes } from './api/base/servers/incoming-bytes.ts';
import { services, webServices } from './api/service.ts';
import { PROTOCOL_VERSION } from './api/sessions/sessions.ts';
import { connectBus } from './bus/connect-bus.ts';
import type { Config } from './config.ts';
import { lockDataFolder } from './data-lock.ts';
import { composeStore } from './engine/base/composed-store.ts';
import { DbClock } from './engine/base/db-clock.ts';
import { armKillPoint, killPoint } from './engine/base/kill-points.ts';
import type { Bus, Log } from './engine/ports/ports.ts';
import type { Store } from './engine/ports/store.ts';
import type { VitalsStore } from './engine/ports/vitals.ts';
import { createReplica, type Replica } from './engine/replica.ts';
import { DEAF_AFTER_BEATS } from './engine/sessions/sessions.ts';
import { composeVitals } from './engine/upkeep/vitals.ts';
import { ThreadExpressions } from './expressions/thread-expressions.ts';
import { openLog, type ReplicaLog } from './log.ts';
import { refuseStart } from './preflight.ts';
import { ThreadSchemas } from './schemas/thread-schemas.ts';
import { failureText } from './store/base/failure-text.ts';
import type { ReplicaDatabase } from './store/driver/database.ts';
import { durabilityWarnings } from './store/driver/durability.ts';
import { firstContact } from './store/driver/first-contact.ts';
import { openPglite } from './store/driver/pglite.ts';
import { refuseTransactionPooling } from './store/driver/pooler.ts';
import { openPostgres } from './store/driver/postgres.ts';
import { migrate } from './store/migrate.ts';
import { createStatements } from './store/store.ts';
import { vitalsStore } from './store/upkeep/vitals.ts';
import { systemClock, systemRandom, systemTimers } from './system.ts';
import { type Metrics, type Observed, openMetrics } from './telemetry/metrics/open-metrics.ts';
import { openTracing } from './telemetry/traces/otlp-spans.ts';
import { version } from './version.ts';

export interface RunningReplica {
  readonly grpcAddress: string;
  readonly httpAddress: string;
  /**
   * Resolves when the replica can't continue, because its embedded database has ended or the history of its PostgreSQL
   * has changed: stop it, and start again.
   */
  readonly lost: Promise<Error>;
  /** Stops accepting calls, finishes calls in progress, and closes everything. */
  stop(): Promise<void>;
}

/** Closes what was opened, in reverse order; an error in one part does not keep the others open. */
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

type OnLost = (error: Error) => void;

async function openDatabase(config: Config, closers: Closers, log: Log, onLost: OnLost): Promise<ReplicaDatabase> {
  const database = await openDriver(config, onLost);
  closers.add(() => database.close());
  if (config.postgresUrl) {
    await firstContact(database, { onWait: (problem) => log.warn({ problem }, 'waits for PostgreSQL to take calls') });
    await refuseTransactionPooling(config.postgresUrl);
    for (const warning of await durabilityWarnings(database)) log.warn({}, warning);
  }
  return database;
}

async function openDriver(config: Config, onLost: OnLost): Promise<ReplicaDatabase> {
  const callSignal = () => currentCall.getStore();
  if (config.postgresUrl) {
    return openPostgres({
      url: config.postgresUrl,
      poolSize: config.postgresConnections,
      callSignal,
      onHistoryChange: onLost,
      beforeCommit: () => killPoint('transaction.before_commit'),
    });
  }
  const folder = join(config.dataFolder, 'postgres');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return openPglite({ dataDir: folder, onLost, callSignal });
}

function storeOf(database: ReplicaDatabase): Store {
  return composeStore(createStatements(database), createStatements(database.reads));
}

function busOptions(config: Config, log: Log, dbClock: DbClock) {
  if (config.natsUrls.length === 0) return { mode: 'embedded', dataFolder: config.dataFolder, log } as const;
  return {
    mode: 'external',
    urls: config.natsUrls,
    credentialsFile: config.natsCredentialsFile,
    signingSeedFile: config.natsSigningSeedFile,
    nowMs: () => dbClock.nowUs() / 1_000,
    log,
  } as const;
}

/**
 * @param historyChanges Earlier replicas of this process that were lost because the history of their database changed.
 * @throws Error that names what could not be opened and what to do about it; then nothing stays open.
 */
export async function startReplica(
  given: Config,
  log = openLog(given.logLevel),
  historyChanges = 0,
): Promise<RunningReplica> {
  const config = { ...given, dataFolder: resolve(given.dataFolder) };
  const crash = process.env.MUSTER_KILL_POINT;
  // Only crash tests set it.
  if (crash) armKillPoint(crash, () => process.kill(process.pid, 'SIGKILL'));
  const closers = new Closers();
  closers.add(() => log.flush());
  try {
    return await start(config, { log, closers, historyChanges });
  } catch (error) {
    await closers.run().catch(() => {});
    throw error;
  }
}

function healthOf(store: Store, vitals: VitalsStore, bus: Bus): Health {
  return {
    release: { version, protocolVersion: PROTOCOL_VERSION },
    async ready() {
      const nowUs = await store.nowUs().catch(() => undefined);
      const time = nowUs === undefined ? undefined : new Date(nowUs / 1_000).toISOString();
      const daysAhead = nowUs === undefined ? undefined : await vitals.countDaysAhead().catch(() => undefined);
      return { database: nowUs !== undefined, bus: bus.isUp(), events: !bus.events.isAbsent, time, daysAhead };
    },
  };
}

interface Behind {
  readonly config: Config;
  readonly replica: Replica;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly closers: Closers;
}

/** Opens both ports, with the same handlers; returns their numbers. */
async function openPorts({
  config,
  replica,
  health,
  metrics,
  log,
  closers,
}: Behind): Promise<{ grpc: number; http: number }> {
  const { host, corsOrigins } = config;
  const bindings = services(replica);
  const calls = new Calls(log, metrics.calls);
  const access = { hosts: [host.toLowerCase(), ...config.httpHosts], corsOrigins };
  const incoming = new IncomingBytes();
  const routes = connectHandlers(webServices(bindings), calls);
  const http = await startHttpServer(routes, health, {
    host,
    port: config.httpPort,
    access,
    metrics: metrics.page,
    incoming,
    log,
  });
  const stops = [() => http.stop()];
  closers.add(() => Promise.all(stops.map((stop) => stop())));
  const grpc = await startGrpcServer(bindings, calls, { host, port: config.grpcPort, incoming });
  stops.push(() => grpc.stop());
  closers.add(() => calls.stop());
  return { grpc: grpc.port, http: http.port };
}

interface Parts {
  readonly store: Store;
  readonly vitals: VitalsStore;
  readonly bus: Bus;
  readonly replica: Replica;
  readonly dbClock: DbClock;
  readonly log: ReplicaLog;
  readonly historyChanges: number;
}

/** Sources that the metrics read by themselves. */
function observedOf({ vitals, store, bus, replica, dbClock, log, historyChanges }: Parts): Observed {
  return {
    vitals: composeVitals(vitals),
    deafAfterBeats: DEAF_AFTER_BEATS,
    nowUs: () => dbClock.nowUs(),
    askDatabase: () => store.nowUs(),
    isBusUp: () => bus.isUp(),
    unspent: () => replica.unspentCredits(),
    droppedLines: log.droppedLines,
    clockSteps: () => dbClock.steps,
    historyChanges,
    countBacklogReasons: () => replica.countBacklogReasons(),
  };
}

interface Surroundings {
  readonly log: ReplicaLog;
  readonly closers: Closers;
  readonly historyChanges: number;
}

async function start(config: Config, { log, closers, historyChanges }: Surroundings): Promise<RunningReplica> {
  await refuseStart(config);
  const embedded = !config.postgresUrl || config.natsUrls.length === 0;
  if (embedded) closers.add(lockDataFolder(config.dataFolder));
  const release = { version, protocolVersion: PROTOCOL_VERSION };
  const metrics = openMetrics({ ...release, clock: systemClock, timers: systemTimers, log, env: process.env });
  closers.add(() => metrics.stop());
  const lost = Promise.withResolvers<Error>();
  const database = await openDatabase(config, closers, log, lost.resolve);
  await migrate(database, { log });
  const dbClock = new DbClock(systemClock, log);
  const store = metrics.measure(storeOf(database), () => dbClock.nowUs());
  const vitals = vitalsStore(database);
  await dbClock.refresh(store);
  const bus = await connectBus(busOptions(config, log, dbClock));
  closers.add(() => bus.close());
  // Before the database and the bus are closed: the last metrics include them, too.
  closers.add(() => metrics.stop());
  const schemas = new ThreadSchemas(log);
  closers.add(() => schemas.stop());
  const expressions = new ThreadExpressions(log);
  closers.add(() => expressions.stop());
  const times = { beatMs: config.beatMs, leaseMs: config.leaseMs };
  const tracing = openTracing(process.env, { clock: systemClock, log, version });
  if (tracing) closers.add(() => tracing.stop());
  const replica = createReplica({
    store,
    bus,
    schemas,
    expressions,
    clock: systemClock,
    dbClock,
    timers: systemTimers,
    random: systemRandom,
    log,
    times,
    tracing,
    failureText,
    onQueueFull: metrics.queueFull,
    onCacheLookups: metrics.cacheLookupMeter,
  });
  await replica.prepare();
  metrics.observe(observedOf({ vitals, store, bus, replica, dbClock, log, historyChanges }));
  closers.add(() => replica.stop());
  const ports = await openPorts({ config, replica, log, closers, metrics, health: healthOf(store, vitals, bus) });
  // Waiting callers are released first: otherwise a wait could delay the stop of the ports for minutes.
  closers.add(() => {
    replica.waits.stop();
    replica.watches.stop();
    replica.eventWatches.stop();
  });
  replica.start();
  return {
    grpcAddress: `${config.host}:${ports.grpc}`,
    httpAddress: `http://${config.host}:${ports.http}`,
    lost: lost.promise,
    stop: () => closers.run(),
  };
}
