/** The PGlite driver: the embedded PostgreSQL in a worker thread behind one `pg` client; transactions queue here. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import pg from 'pg';
import type { Database, Parameter, Row, Session, Statement } from './database.ts';
import { PgliteStream } from './pglite-stream.ts';
import { sessionOf, typeParsers } from './postgres.ts';

export interface PgliteOptions {
  /** Folder of the data, or `memory://` for a database that ends with the process. */
  readonly dataDir: string;
}

const insideTransaction = new AsyncLocalStorage<boolean>();

async function startThread(dataDir: string): Promise<Worker> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const thread = new Worker(new URL(`./pglite-thread.${extension}`, import.meta.url), { workerData: { dataDir } });
  await once(thread, 'message');
  return thread;
}

/** Runs one piece of work at a time, in the order of arrival: PGlite has one connection. */
class Turnstile {
  #last: Promise<unknown> = Promise.resolve();

  enter<T>(work: () => Promise<T>): Promise<T> {
    if (insideTransaction.getStore()) {
      throw new Error('a query beside its own transaction would wait for itself for ever: use the handle that was passed in');
    }
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

async function inTransaction<T>(client: pg.Client, session: Session, work: (session: Session) => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    const result = await insideTransaction.run(true, () => work(session));
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

export async function openPglite(options: PgliteOptions): Promise<Database> {
  const thread = await startThread(options.dataDir);
  const client = new pg.Client({ stream: () => new PgliteStream(thread) as never, user: 'postgres', database: 'postgres', types: typeParsers });
  client.on('error', () => {});
  await client.connect();
  await client.query('SET search_path = muster; SET timezone = UTC; SET jit = off');
  const session = sessionOf(client);
  const turnstile = new Turnstile();
  return {
    run: (statement: Statement, parameters: readonly Parameter[]): Promise<Row[]> => turnstile.enter(() => session.run(statement, parameters)),
    transaction: (work) => turnstile.enter(() => inTransaction(client, session, work)),
    script: (text) => turnstile.enter(async () => void (await client.query(text))),
    close: () => turnstile.enter(() => closeAll(client, thread)),
  };
}

async function closeAll(client: pg.Client, thread: Worker): Promise<void> {
  await client.end();
  const exited = once(thread, 'exit');
  thread.postMessage('close');
  await exited;
}
