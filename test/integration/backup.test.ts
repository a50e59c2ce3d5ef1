/** A backup of a running PostgreSQL is restored: it has what was there, on a history of its own. */
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Primary, startPrimary } from '../support/base/standby.ts';

let primary: Primary;
let restored: Primary | undefined;

beforeAll(async () => {
  primary = await startPrimary();
});

afterAll(() => Promise.all([primary?.stop(), restored?.stop()]));

async function query<T extends pg.QueryResultRow>({ url }: Primary, text: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return (await client.query<T>(text).finally(() => client.end())).rows;
}

const timelineOf = async (server: Primary) =>
  (await query<{ timeline: number }>(server, 'SELECT timeline_id AS timeline FROM pg_control_checkpoint()'))[0]
    ?.timeline;

it('a restored backup lacks what was committed later, takes writes, and can have a standby', async () => {
  await query(primary, 'CREATE TABLE t (n integer)');
  await query(primary, 'INSERT INTO t VALUES (1)');
  const backup = await primary.makeBackup();
  await query(primary, 'INSERT INTO t VALUES (2)');
  await primary.kill();
  restored = await backup.restore();
  expect(await query(restored, 'SELECT n FROM t')).toEqual([{ n: 1 }]);
  await query(restored, 'CHECKPOINT');
  expect(await timelineOf(restored)).toBe(2);
  await query(restored, 'INSERT INTO t VALUES (3)');
  const standby = await restored.makeStandby('async');
  try {
    await standby.catchUp();
    expect(await query(standby, 'SELECT n FROM t ORDER BY n')).toEqual([{ n: 1 }, { n: 3 }]);
  } finally {
    await standby.stop();
  }
});
