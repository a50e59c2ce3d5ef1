/** The PostgreSQL driver when the server misbehaves: it never hangs and never keeps a broken connection. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { storeFault } from '../../../server/engine/base/errors.ts';
import type { Database, Session } from '../../../server/store/driver/database.ts';
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

function open(options: Partial<PostgresOptions> = {}): Database {
  const database = openPostgres({ url, poolSize: 2, ...options });
  cleanUps.push(() => database.close());
  return database;
}

const pidOf = async (session: Session) =>
  only(await session.run({ name: '', text: 'SELECT pg_backend_pid() AS pid', row: { pid: 'int4' } }, [])).pid;
const one = { name: 'one', text: 'SELECT 1 AS one' };

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

  it('fails soon if nothing listens', async () => {
    const database = open({ url: 'postgres://muster@127.0.0.1:1/none' });
    expect(storeFault(await database.run(one, []).catch((reason: unknown) => reason))).toBe('world');
  });
});
