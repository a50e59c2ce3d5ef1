/** The PGlite driver: the embedded PostgreSQL in a worker thread behind one `pg` client; transactions queue here. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Worker } from 'node:worker_threads';
import pg from 'pg';
import {
  type Database,
  type Parameter,
  type ReplicaDatabase,
  runAndCommit,
  type Session,
  type Statement,
  statementsOnly,
} from './database.ts';
import { gathering } from './gathering.ts';
import { prepareFolder, startFailure } from './pglite-folder.ts';
import { type MaintenanceOptions, PgliteMaintenance } from './pglite-maintenance.ts';
import { PgliteStream } from './pglite-stream.ts';
import { begin, planSettings, sessionOf, typeParsers } from './postgres.ts';
import { ReadGate, type ReadGateOptions } from './read-gate.ts';
import type { RowOf } from './row-types.ts';

export interface PgliteOptions extends Pick<ReadGateOptions, 'callSignal'> {
  /** Folder of the data, or `memory://` for a database that ends with the process. */
  readonly dataDir: string;
  /** Initial content of an in-memory database: a data folder as PGlite dumps it, uncompressed. */
  readonly snapshot?: Uint8Array;
  readonly maintenance?: MaintenanceOptions;
  /** Called when the thread ends unexpectedly, such as out of memory. From then on each call fails. */
  readonly onLost?: (error: Error) => void;
}

/** Max wait at close for earlier queries: one that never ends would block the close. */
const LAST_WORK_MS = 30_000;
const CLOSE_MS = 10_000;

async function startThread(dataDir: string, snapshot?: Uint8Array): Promise<Worker> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const thread = new Worker(new URL(`./pglite-thread.${extension}`, import.meta.url), {
    workerData: { dataDir, snapshot },
    // Messages are short-lived: a large nursery would only keep their memory. 170 MB less, and not slower.
    resourceLimits: { maxYoungGenerationSizeMb: 24 },
  });
  await new Promise<void>((resolve, reject) => {
    thread.once('message', () => resolve());
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('the embedded database stopped while it started')));
  });
  return thread;
}

/** Asks the database to shut down, and kills the thread after a time-out. The data survive that. */
async function stopThread(thread: Worker): Promise<void> {
  const timer = setTimeout(() => void thread.terminate(), CLOSE_MS);
  const exited = new Promise<void>((resolve) => {
    thread.once('exit', () => resolve());
    if (thread.threadId < 0) resolve();
  });
  thread.postMessage('close');
  await exited;
  clearTimeout(timer);
}

/** Runs one piece of work at a time, in the order of arrival: PGlite has one connection. */
class Turnstile {
  readonly #transactions = new AsyncLocalStorage<{ open: boolean }>();
  #last: Promise<unknown> = Promise.resolve();

  enter<T>(work: () => Promise<T>): Promise<T> {
    if (this.#transactions.getStore()?.open) {
      throw new Error(
        'a query outside of its own transaction would wait for it for ever: use the session that was passed in',
      );
    }
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Marks all work that `work` does and starts as part of the transaction, until it ends. */
  async insideTransaction<T>(work: () => Promise<T>): Promise<T> {
    const transaction = { open: true };
    try {
      return await this.#transactions.run(transaction, work);
    } finally {
      transaction.open = false;
    }
  }
}

class Pglite implements ReplicaDatabase {
  readonly reads: Database;
  readonly #thread: Worker;
  readonly #client: pg.Client;
  readonly #session: Session;
  readonly #turnstile = new Turnstile();
  readonly #maintenance: PgliteMaintenance;
  #closed: Promise<void> | undefined;

  constructor(thread: Worker, client: pg.Client, { maintenance = {}, onLost, callSignal }: PgliteOptions) {
    this.#thread = thread;
    this.#client = client;
    let reason = 'its thread has stopped';
    thread.once('error', (error) => {
      reason = error.message;
    });
    thread.once('exit', () => {
      if (this.#closed === undefined) onLost?.(new Error(`the embedded database has ended: ${reason}`));
    });
    const gate = new ReadGate({ maxRunning: 1, callSignal });
    this.reads = statementsOnly((statement, parameters) => gate.run(() => this.run(statement, parameters)));
    const enqueue = (work: () => Promise<void>) => this.#turnstile.enter(work);
    this.#maintenance = new PgliteMaintenance(
      { enqueue, query: async (sql) => (await client.query(sql)).rows[0] },
      maintenance,
    );
    this.#session = sessionOf(client, (statement, rows) => {
      if (statement.endsJobs) this.#maintenance.noteEnded(rows);
    });
  }

  run<S extends Statement>(statement: S, parameters: readonly Parameter[]): Promise<RowOf<S>[]> {
    return this.#work(() => this.#session.run(statement, parameters));
  }

  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#work(() => this.#turnstile.insideTransaction(() => this.#inTransaction(work)));
  }

  script(text: string): Promise<void> {
    return this.#work(async () => void (await this.#client.query(text)));
  }

  noteDeleted(table: string, rows: number): void {
    this.#maintenance.noteDeleted(table, rows);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // Killing the thread fails the pending queries. The data survive that.
    const timer = setTimeout(() => void this.#thread.terminate(), LAST_WORK_MS);
    try {
      await this.#turnstile.enter(async () => {
        await this.#maintenance.checkpoint();
        await this.#client.end();
        await stopThread(this.#thread);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for its turn. Only the time after that counts as work. */
  #work<T>(work: () => Promise<T>): Promise<T> {
    return this.#turnstile.enter(async () => {
      const start = performance.now();
      try {
        return await work();
      } finally {
        this.#maintenance.noteWork(performance.now() - start);
      }
    });
  }

  async #inTransaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const begun = begin(this.#client);
    try {
      return await runAndCommit(this.#session, work, () => Promise.all([begun, this.#client.query('COMMIT')]));
    } catch (error) {
      // Fails only with the database itself, which the error at hand already reports.
      await this.#client.query('ROLLBACK').catch(() => {});
      throw error;
    }
  }
}

/** Throws if the folder can't be this database's: it holds another major version, or other files. */
export async function openPglite(options: PgliteOptions): Promise<ReplicaDatabase> {
  const { dataDir, snapshot } = options;
  const isInMemory = dataDir.startsWith('memory://');
  if (!isInMemory) await prepareFolder(dataDir, async (folder) => stopThread(await startThread(folder)));
  const thread = await startThread(dataDir, snapshot).catch((error: Error) => {
    throw isInMemory ? error : startFailure(dataDir, error);
  });
  const client = new pg.Client({
    stream: () => gathering(new PgliteStream(thread)) as never,
    user: 'postgres',
    database: 'postgres',
    types: typeParsers,
    pipeline: true,
  });
  client.on('error', () => {});
  await client.connect();
  await client.query(
    Object.entries(planSettings)
      .map(([name, value]) => `SET ${name} = ${value};`)
      .join(' '),
  );
  return new Pglite(thread, client, options);
}
