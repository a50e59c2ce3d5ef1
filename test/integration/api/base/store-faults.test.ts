/** B73: the answers on both ports when the database refuses, is full, or is gone; and the recovery. */

import { AuditService } from '@muster-jobs/sdk/gen/muster/v1/audit_service_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import type { Database } from '../../../../server/store/driver/database.ts';
import { openPostgres } from '../../../../server/store/driver/postgres.ts';
import { migrate } from '../../../../server/store/migrate.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { type ScratchPostgres, startPostgres } from '../../../support/databases/postgres.ts';
import type { Refusal } from './rpc.ts';
import { digestOf } from './store-digest.ts';
import { WebClient } from './web-clients.ts';
import { World } from './world.ts';

const { submitJob, getJob } = JobService.method;
const { listAuditRecords } = AuditService.method;

let postgres: ScratchPostgres;
let database: Database;
let world: World;
let definition: string;
let jobId: string;

beforeAll(async () => {
  postgres = await startPostgres({ settings: { fsync: 'off' } });
  const url = await postgres.createDatabase();
  database = openPostgres({ url, poolSize: 1 });
  await migrate(database);
  await database.script(REFUSE);
  world = await World.startWith({ beatMs: 1_000_000, leaseMs: 3_600_000, postgresUrl: url });
  definition = await world.define();
  jobId = await world.submit(definition);
});

afterAll(async () => {
  await database?.close().catch(() => {});
  await world?.stop();
  await postgres?.stop();
});

/** Codes and reasons of the same call on both ports. */
async function refusals(): Promise<(readonly [code: number, reason: string])[]> {
  const web = new WebClient(world.replica.httpAddress, 'Connect JSON');
  const calls = [
    world.rpc.refused(submitJob, { job: { definition } }),
    web.refused(submitJob, { job: { definition } }),
  ];
  return (await Promise.all(calls)).map(({ code, reason }) => [code, reason] as const);
}

/** A trigger that refuses new jobs with the SQLSTATE in `refusal`, if there is one: no later DDL waits for locks. */
const REFUSE = `
CREATE TABLE public.refusal (sql_state text NOT NULL);
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE refused record;
BEGIN
  FOR refused IN SELECT sql_state FROM public.refusal LOOP
    RAISE EXCEPTION 'refused by the test' USING ERRCODE = refused.sql_state;
  END LOOP;
  RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON muster.jobs FOR EACH ROW EXECUTE FUNCTION public.refuse();`;

/** Makes PostgreSQL itself refuse every new job with this SQLSTATE until the work is done. */
async function whileRefusing(sqlState: string, work: () => Promise<void>): Promise<void> {
  await database.script(`INSERT INTO public.refusal VALUES ('${sqlState}')`);
  try {
    await work();
  } finally {
    await database.script('DELETE FROM public.refusal');
  }
}

describe('B73: a call while the database', () => {
  it.each([
    ['has no space left', '53100', Code.RESOURCE_EXHAUSTED, 'STORE_FULL'],
    ['has a conflict each time', '40001', Code.ABORTED, 'CONFLICT'],
    ['deadlocks each time', '40P01', Code.ABORTED, 'CONFLICT'],
    ['is being shut down', '57P01', Code.UNAVAILABLE, 'STORE_UNAVAILABLE'],
    ['takes no more connections', '53300', Code.UNAVAILABLE, 'STORE_UNAVAILABLE'],
  ])('%s is refused with its code', async (_what, sqlState, code, reason) => {
    const before = await digestOf(database);
    await whileRefusing(sqlState, async () => {
      expect(await refusals()).toEqual([
        [code, reason],
        [code, reason],
      ]);
    });
    expect(await digestOf(database)).toEqual(before);
    await world.submit(definition);
  });

  it('is too slow for lists is refused early if it lists, and takes jobs all the same', async () => {
    const waiting = `SELECT FROM pg_locks WHERE relation = 'muster.audit_records'::regclass AND NOT granted`;
    const list = (timeoutMs: number) =>
      world.rpc.call(listAuditRecords, {}, { timeoutMs }).then(
        () => 'OK',
        (error: Refusal) => error.reason || error.code,
      );
    const lists = await database.transaction(async (session) => {
      const countWaiting = async () => (await session.run({ name: '', text: waiting }, [])).length;
      await session.run({ name: '', text: 'LOCK TABLE muster.audit_records IN ACCESS EXCLUSIVE MODE' }, []);
      const late = list(1_000);
      await eventually('it reads', async () => (await countWaiting()) === 1);
      expect(await late).toBe(Code.DEADLINE_EXCEEDED);
      await eventually('the database reads no longer for it', async () => (await countWaiting()) === 0);
      const many = Array.from({ length: 300 }, () => list(30_000));
      expect(await Promise.race(many)).toBe('OVERLOADED');
      await eventually('half of the connections read', async () => (await countWaiting()) === 6);
      await world.submit(definition);
      return many;
    });
    expect(new Set(await Promise.all(lists))).toEqual(new Set(['OK', 'OVERLOADED']));
  });

  it('is gone is refused, and the process lives and reports that it is not ready', async () => {
    await database.close();
    await postgres.stop();
    const gone = [Code.UNAVAILABLE, 'STORE_UNAVAILABLE'];
    expect(await refusals()).toEqual([gone, gone]);
    expect((await world.rpc.refused(getJob, { jobId })).code).toBe(Code.UNAVAILABLE);
    const ready = () => fetch(`${world.replica.httpAddress}/readyz`);
    await eventually('it says so', async () => (await ready()).status === 503);
    expect(await (await ready()).json()).toMatchObject({ status: 'not ready', database: false });
    expect((await fetch(`${world.replica.httpAddress}/healthz`)).status).toBe(200);
  });
});
