/** The bus of the embedded mode: a real nats-server as a child process on the loopback, restarted whenever it dies. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../engine/ports/ports.ts';
import { endOrphan } from './orphan.ts';
import { dieWithParent, findServerBinary } from './server-binary.ts';
import {
  keepPort,
  prepareFolder,
  readKeptPort,
  removeTraces,
  type ServerFiles,
  type ServerSettings,
  writeConfig,
} from './server-files.ts';
import { endServer, launchServer, type ServerProcess } from './server-process.ts';
import { awaitReady } from './server-ready.ts';
import { eventStreamName } from './subjects.ts';
import { keepReaderCredentials, loadTrust, type Trust } from './trust.ts';

export interface EmbeddedServerOptions {
  /** Its own folder for keys, configuration and port. The caller holds the lock of the enclosing data folder. */
  readonly folder: string;
  readonly log: Log;
  /** Path of nats-server. Default: see `findServerBinary`. */
  readonly binary?: string | undefined;
}

const firstWaitMs = 50;
const longestWaitMs = 5_000;
/** A server that lived this long did not die because of its start. */
const healthyLifeMs = 10_000;
const stopGraceMs = 3_000;

/** A supervised nats-server. Its URL stays the same, also across restarts, as long as its port is available. */
export class EmbeddedServer {
  readonly url: string;
  readonly trust: Trust;
  readonly #launch: () => ServerProcess;
  readonly #files: ServerFiles;
  readonly #settings: ServerSettings;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  readonly #supervision: Promise<void>;
  #process: ServerProcess;
  #waitMs = firstWaitMs;

  private constructor(start: ReadyServer) {
    this.url = `nats://127.0.0.1:${start.settings.port}`;
    this.trust = start.trust;
    this.#launch = start.launch;
    this.#files = start.files;
    this.#settings = start.settings;
    this.#log = start.log;
    this.#process = start.process;
    process.on('exit', this.#killWithoutWaiting);
    this.#supervision = this.#supervise();
  }

  /**
   * Starts the server and waits until it accepts connections.
   *
   * @throws Error with the reason and the last lines of its log.
   */
  static async start(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
    return new EmbeddedServer(await startServer(options));
  }

  /** Pid of the current process. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Ends the process and waits for its exit. May be repeated. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await endServer(this.#process, stopGraceMs);
    await this.#supervision;
    process.off('exit', this.#killWithoutWaiting);
    await removeTraces(this.#files);
  }

  readonly #killWithoutWaiting = () => this.#process.kill('SIGKILL');

  async #supervise(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const reason = await this.#process.ended;
      if (this.#stopping.signal.aborted) return;
      this.#log.warn({ reason, output: this.#process.lastWords() }, 'nats-server has died; starting it anew');
      if (this.#process.age() >= healthyLifeMs) this.#waitMs = firstWaitMs;
      await this.#startAnew();
    }
  }

  /** Retries with growing delays until the server runs or must stop. */
  async #startAnew(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      await delay(this.#waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      this.#waitMs = Math.min(this.#waitMs * 2, longestWaitMs);
      try {
        this.#process = this.#launch();
        await awaitReady(this.#process, this.#files, this.#settings.serverName, this.#settings.port);
        this.#log.info({ pid: this.#process.pid, url: this.url }, 'nats-server runs again');
        return;
      } catch (error) {
        await endServer(this.#process, 0);
        if (signal.aborted) return;
        this.#log.warn({ error: (error as Error).message, waitMs: this.#waitMs }, 'nats-server did not start');
      }
    }
  }
}

interface StartPlan {
  readonly files: ServerFiles;
  readonly trust: Trust;
  readonly log: Log;
  readonly launch: () => ServerProcess;
}

interface ReadyServer extends StartPlan {
  readonly settings: ServerSettings;
  readonly process: ServerProcess;
}

async function startServer(options: EmbeddedServerOptions): Promise<ReadyServer> {
  const { log } = options;
  const binary = options.binary ?? (await findServerBinary());
  const prefix = await dieWithParent();
  const files = await prepareFolder(options.folder);
  await endOrphan(files, log);
  const trust = await loadTrust(files.folder);
  await keepReaderCredentials(trust, join(files.folder, 'events.creds'), eventStreamName);
  const plan = { files, trust, log, launch: () => launchServer(prefix, binary, files.config) };
  const kept = await readKeptPort(files);
  if (kept === undefined) return startOn(undefined, plan);
  return startOn(kept, plan).catch((error: Error) => {
    if (!/address already in use/i.test(error.message)) throw error;
    log.warn({ port: kept }, 'another program has taken the port of nats-server; taking a free one');
    return startOn(undefined, plan);
  });
}

async function startOn(port: number | undefined, plan: StartPlan): Promise<ReadyServer> {
  const { files, trust, launch } = plan;
  const serverName = `muster-${randomUUID()}`;
  await writeConfig(files, trust, { serverName, port });
  const process = launch();
  try {
    const settings = { serverName, port: await awaitReady(process, files, serverName, port) };
    // The port is fixed from here on, so that clients with its URL find it after a restart.
    await writeConfig(files, trust, settings);
    await keepPort(files, settings.port);
    return { ...plan, settings, process };
  } catch (error) {
    await endServer(process, 0);
    throw error;
  }
}
