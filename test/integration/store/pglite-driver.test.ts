/** The PGlite driver: one piece of work at a time, no wait for itself, and an end that leaves no caller waiting. */
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { storeFault } from '../../../server/engine/base/errors.ts';
import type { Database, Session } from '../../../server/store/driver/database.ts';
import { openPglite } from '../../../server/store/driver/pglite.ts';
import { usePgliteFolders } from '../../support/databases/pglite-folders.ts';

const one = { name: 'one', text: 'SELECT 1 AS one' };
const forAges = { name: 'for_ages', text: 'SELECT count(*) FROM generate_series(1, 1000000000000)' };
const folders = usePgliteFolders();
let database: Database;
let thread: Worker;
/** Reported reasons of threads that ended by themselves. */
let losses: string[];

beforeEach(async () => {
  losses = [];
  const started = new Promise<Worker>((resolve) => process.once('worker', resolve));
  database = await openPglite({ dataDir: await folders.copy(), onLost: ({ message }) => losses.push(message) });
  thread = await started;
});
afterEach(() => database.close());

const rejection = (work: Promise<unknown>) =>
  work.then(
    () => 'no rejection',
    (error: unknown) => error,
  );

describe('the PGlite driver', () => {
  it('throws if a transaction would wait for a query outside it', async () => {
    const nested: [string, () => Promise<unknown>][] = [
      ['run', () => database.run(one, [])],
      ['transaction', () => database.transaction(async () => 1)],
      ['script', () => database.script('SELECT 1')],
    ];
    for (const [_what, query] of nested) {
      await expect(database.transaction(() => query())).rejects.toThrow(/use the session that was passed in/);
    }
    expect(await database.run(one, [])).toEqual([{ one: 1 }]);
  });

  it('accepts a query that a transaction started, once that transaction is over', async () => {
    const released = Promise.withResolvers<void>();
    let later: Promise<unknown> = Promise.resolve();
    await database.transaction(async (session) => {
      await session.run(one, []);
      later = released.promise.then(() => database.run(one, []));
    });
    released.resolve();
    expect(await later).toEqual([{ one: 1 }]);
  });

  it('runs a query only after the whole transaction that came first', async () => {
    await database.script('CREATE TABLE notes (n integer)');
    const order: string[] = [];
    const slow = database.transaction(async (session) => {
      for (let n = 0; n < 5; n++) await session.run({ name: 'note', text: 'INSERT INTO notes VALUES ($1)' }, [n]);
      order.push('transaction');
    });
    const count = database
      .run({ name: 'count', text: 'SELECT count(*) AS n FROM notes', row: { n: 'int8' } }, [])
      .then((rows) => {
        order.push('query');
        return rows[0]?.n;
      });
    await slow;
    expect(await count).toBe(5);
    expect(order).toEqual(['transaction', 'query']);
  });

  it('rolls back a transaction that throws, and continues', async () => {
    await database.script('CREATE TABLE notes (n integer)');
    const broken = (session: Session) =>
      session.run({ name: '', text: 'INSERT INTO notes VALUES (1)' }, []).then(() => Promise.reject(new Error('no')));
    await expect(database.transaction(broken)).rejects.toThrow('no');
    await expect(
      database.transaction((session) => session.run({ name: '', text: 'SELECT 1 / 0' }, [])),
    ).rejects.toMatchObject({ code: '22012' });
    await expect(database.run({ name: '', text: 'nonsense' }, [])).rejects.toMatchObject({ code: '42601' });
    expect(await database.run({ name: '', text: 'SELECT * FROM notes' }, [])).toEqual([]);
  });
});

describe('a lost PGlite thread', () => {
  it('fails the running query, the waiting ones and later ones', async () => {
    const running = rejection(database.run(forAges, []));
    const waiting = rejection(database.run(one, []));
    const transaction = rejection(database.transaction((session) => session.run(one, [])));
    await thread.terminate();
    for (const error of await Promise.all([running, waiting, transaction])) {
      expect(error).toBeInstanceOf(Error);
      expect(storeFault(error)).toBe('world');
    }
    expect(storeFault(await rejection(database.run(one, [])))).toBe('world');
    expect(storeFault(await rejection(database.script('SELECT 1')))).toBe('world');
    expect(losses).toEqual(['the embedded database has ended: its thread has stopped']);
  });

  it('is reported with the reason', async () => {
    const exited = new Promise((resolve) => thread.once('exit', resolve));
    thread.postMessage(null); // the thread can not handle it
    await exited;
    expect(losses).toEqual([expect.stringMatching(/^the embedded database has ended: (?!its thread has stopped$)./)]);
  });

  it('does not prevent the database from being closed', async () => {
    await thread.terminate();
    await database.close();
    await database.close();
  });

  it('fails a transaction at its next query if it is lost between two queries', async () => {
    const work = database.transaction(async (session) => {
      await session.run(one, []);
      await thread.terminate();
      await session.run(one, []);
    });
    expect(storeFault(await rejection(work))).toBe('world');
  });
});

describe('closing PGlite', () => {
  it('waits for earlier queries, leaves no thread, and can be called twice', async () => {
    const last = database.run(one, []);
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    await Promise.all([database.close(), database.close()]);
    expect(await last).toEqual([{ one: 1 }]);
    expect(await ended).toBe(0);
    expect(await rejection(database.run(one, []))).toBeInstanceOf(Error);
    expect(losses).toEqual([]);
  });

  it('waits 30 seconds for a query, which then fails', async () => {
    const stuck = rejection(database.run(forAges, []));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const closed = database.close().catch(() => undefined);
      await vi.advanceTimersByTimeAsync(29_999);
      expect(thread.threadId).toBeGreaterThan(0);
      await vi.advanceTimersByTimeAsync(1);
      expect(storeFault(await stuck)).toBe('world');
      await closed;
    } finally {
      vi.useRealTimers();
    }
    expect(losses).toEqual([]);
  });
});
