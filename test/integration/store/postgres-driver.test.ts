/** The PostgreSQL driver when the server misbehaves: it never hangs and never keeps a broken connection. */
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { storeFault } from '../../../server/engine/base/errors.ts';
import type { Database, ReplicaDatabase, Session } from '../../../server/store/driver/database.ts';
import { durabilityWarnings } from '../../../server/store/driver/durability.ts';
import { openPostgres, type PostgresOptions } from '../../../server/store/driver/postgres.ts';
import { migrate } from '../../../server/store/migrate.ts';
import { eventually } from '../../support/base/eventually.ts';
import { type ScratchPostgres, startPostgres } from '../../support/databases/postgres.ts';
import { sql } from '../../support/store/store-context.ts';
import { only } from '../../support/store/store-fixtures.ts';

let server: ScratchPostgres;
let url: string;
let context: { readonly database: Database };
const cleanUps: (() => unknown)[] = [];

// A server of its own, because a hanging connection keeps other tests from dropping their databases.
beforeAll(async () => {
  server = await startPostgres();
  url = await server.createDatabase();
  context = { database: openPostgres({ url }) };
  await migrate(context.database);
});

afterAll(async () => {
  await context?.database.close();
  await server?.stop();
});

afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean();
});

function open(options: Partial<PostgresOptions> = {}): ReplicaDatabase {
  const database = openPostgres({ url, poolSize: 2, ...options });
  cleanUps.push(() => database.close());
  return database;
}

const pidOf = async (session: Session) =>
  only(await session.run({ name: '', text: 'SELECT pg_backend_pid() AS pid', row: { pid: 'int4' } }, [])).pid;
const one = { name: 'one', text: 'SELECT 1 AS one' };
const sleepLong = { name: 'sleep_long', text: 'SELECT pg_sleep(10)' };
/** Processes of the server that run `sleepLong`. */
const sleepers = async () =>
  (await sql(context, `SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query = '${sleepLong.text}'`)).map(
    ({ pid }) => pid,
  );

/** The server's process stops answering, but the connection stays, as when a network is cut. */
function freeze(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  cleanUps.push(() => process.kill(pid, 'SIGCONT'));
}

describe('the PostgreSQL driver', () => {
  it('sets every timeout on the server', async () => {
    const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
    const rows = await sql(context, `SELECT name, setting FROM pg_settings WHERE name IN ('${names.join("', '")}')`);
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(Number(row.setting)).toBeGreaterThan(0);
  });

  it('opens no more connections than its maximum', async () => {
    const database = open({ poolSize: 3 });
    const pids = await Promise.all(Array.from({ length: 40 }, () => pidOf(database)));
    expect(new Set(pids).size).toBeLessThanOrEqual(3);
  });

  it('keeps a connection that is idle', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const database = open({ poolSize: 1 });
      const pid = await pidOf(database);
      vi.advanceTimersByTime(3_600_000);
      expect(await pidOf(database)).toBe(pid);
    } finally {
      vi.useRealTimers();
    }
  });

  it('gives up on a server that does not answer, and continues on another connection', async () => {
    const database = open({ poolSize: 1, answerMs: 2_000 });
    freeze(await pidOf(database));
    const error = await database.run(one, []).catch((reason: unknown) => reason);
    expect(storeFault(error)).toBe('world');
    expect(await database.run(one, [])).toEqual([{ one: 1 }]);
  });

  it('gives up on a server that stops answering within a transaction', async () => {
    const database = open({ poolSize: 1, answerMs: 2_000 });
    const work = database.transaction(async (session) => {
      freeze(await pidOf(session));
      await session.run(one, []);
    });
    expect(storeFault(await work.catch((reason: unknown) => reason))).toBe('world');
    expect(await database.run(one, [])).toEqual([{ one: 1 }]);
  });

  it('replaces a connection that the server closed', async () => {
    const database = open({ poolSize: 1 });
    const work = database.transaction(async (session) => {
      await sql(context, `SELECT pg_terminate_backend(${await pidOf(session)})`);
      await eventually('the connection has ended', () =>
        session.run(one, []).then(
          () => false,
          () => true,
        ),
      );
      await session.run(one, []);
    });
    expect(storeFault(await work.catch((reason: unknown) => reason))).toBe('world');
    expect(await database.run(one, [])).toEqual([{ one: 1 }]);
  });

  it('rolls back a transaction that throws, and keeps the connection', async () => {
    const database = open({ poolSize: 1 });
    const pid = await pidOf(database);
    const work = database.transaction(async (session) => {
      await session.run({ name: '', text: `INSERT INTO retentions VALUES ('rolled', 'back', 1)` }, []);
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await sql({ database }, `SELECT * FROM retentions WHERE namespace = 'rolled'`)).toEqual([]);
    expect(await pidOf(database)).toBe(pid);
  });

  it('makes connections with growing pauses while the server refuses them', async () => {
    let count = 0;
    const refusing = createServer((socket) => {
      count++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => refusing.close());
    const { port } = refusing.address() as AddressInfo;
    const database = open({ url: `postgres://muster@127.0.0.1:${port}/none` });
    for (let n = 0; n < 200; n++)
      expect(storeFault(await database.run(one, []).catch((e: unknown) => e))).toBe('world');
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(20);
  });

  describe('with statements that were prepared before a later release changed their results', () => {
    const table = `changed_${crypto.randomUUID().replaceAll('-', '')}`;
    const star = { name: `star_${table}`, text: `SELECT * FROM ${table}` };

    /** A database all of whose connections have prepared the statement, and then a column is added. */
    async function openOutdated(): Promise<Database> {
      const database = open({ poolSize: 3 });
      await sql(context, `DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (a int)`);
      const pids = await Promise.all(
        Array.from({ length: 3 }, () =>
          database.transaction(async (session) => {
            await session.run(star, []);
            await session.run({ name: '', text: 'SELECT pg_sleep(0.2)' }, []);
            return pidOf(session);
          }),
        ),
      );
      expect(new Set(pids).size).toBe(3);
      await sql(context, `ALTER TABLE ${table} ADD COLUMN b int`);
      return database;
    }

    it('repeats a statement on a connection that has not prepared it', async () => {
      const database = await openOutdated();
      await Promise.all(Array.from({ length: 9 }, () => database.run(star, [])));
    });

    it('refuses a transaction as a collision, once, since all these connections end', async () => {
      const database = await openOutdated();
      const transaction = () => database.transaction((session) => session.run(star, []));
      const error = await transaction().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: '0A000' });
      expect(storeFault(error)).toBe('concurrency');
      await Promise.all(Array.from({ length: 9 }, transaction));
    });
  });

  it('fails soon if nothing listens', async () => {
    const database = open({ url: 'postgres://muster@127.0.0.1:1/none' });
    expect(storeFault(await database.run(one, []).catch((reason: unknown) => reason))).toBe('world');
  });

  it('keeps connections free for everything else, however many reads of callers there are', async () => {
    const caller = new AbortController();
    const database = open({ poolSize: 4, callSignal: () => caller.signal });
    const reads = Array.from({ length: 20 }, () => database.reads.run(sleepLong, []).catch(() => 'ended'));
    await eventually('two reads run', async () => (await sleepers()).length === 2);
    expect(await Promise.all([1, 2, 3].map(() => database.run(one, [])))).toHaveLength(3);
    expect(await sleepers()).toHaveLength(2);
    caller.abort(new Error('enough'));
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['ended']));
    await eventually('the server runs them no longer', async () => (await sleepers()).length === 0);
  });

  it('cancels a read whose caller has gone, and serves the next one', async () => {
    const caller = new AbortController();
    let callSignal: AbortSignal | undefined = caller.signal;
    const database = open({ poolSize: 2, callSignal: () => callSignal });
    const read = database.reads.run(sleepLong, []).catch((error: unknown) => error);
    await eventually('the read runs', async () => (await sleepers()).length === 1);
    caller.abort(new Error('too late'));
    expect(await read).toMatchObject({ reason: 'OVERLOADED' });
    await eventually('the server runs it no longer', async () => (await sleepers()).length === 0);
    callSignal = undefined;
    expect(await database.reads.run(one, [])).toEqual([{ one: 1 }]);
  });
});

describe('the PostgreSQL driver, as the history of its database goes', () => {
  let own: ScratchPostgres;

  beforeAll(async () => {
    own = await startPostgres();
  });

  afterAll(() => own?.stop());

  const watch = (changes: Error[]) => open({ url: own.url, onHistoryChange: (error) => changes.push(error) });

  it('refuses all statements once the history of the database has changed, and reports that once', async () => {
    const changes: Error[] = [];
    const database = watch(changes);
    await database.run(one, []);
    await own.restartAsRestored();
    const refused = await eventually('a connection has another history', async () => {
      const error = await database.run(one, []).catch((reason: Error) => reason);
      return error instanceof Error && error.message.includes('another history') && error;
    });
    expect(storeFault(refused)).toBe('world');
    expect(refused.message).toMatch(
      /\d+\/00000001, now \d+\/00000002\): a standby was promoted, or a backup was restored/,
    );
    await expect(database.transaction((session) => session.run(one, []))).rejects.toThrow('another history');
    expect(changes).toEqual([refused]);
    const later: Error[] = [];
    await watch(later).run(one, []);
    expect(later).toEqual([]);
  });

  it('warns of settings with which acknowledged jobs may be lost', async () => {
    const database = watch([]);
    const url = new URL(own.url);
    url.searchParams.set('options', '-c synchronous_commit=off');
    const careless = open({ url: url.href });
    const warnings = [await durabilityWarnings(database), await durabilityWarnings(careless)];
    expect(warnings[1]).toContain(
      'PostgreSQL has synchronous_commit=off: a crash of PostgreSQL may lose jobs that were acknowledged',
    );
    expect(warnings[0]?.join()).not.toContain('synchronous_commit');
  });
});
