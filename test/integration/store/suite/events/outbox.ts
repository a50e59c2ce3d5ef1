/** The outbox: each state change is recorded once, by the statement that makes it; relays share the rows. */
import { beforeEach, describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideCancel, decideFail, decideRelease } from '../../../../../server/domain/jobs/decide.ts';
import { decideUpdate } from '../../../../../server/domain/jobs/pause.ts';
import type { Change } from '../../../../../server/domain/jobs/run.ts';
import type { OutboxRow } from '../../../../../server/engine/ports/events.ts';
import { eachOf } from '../../../../support/store/published-events.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  assignedCall,
  bytes,
  claimMany,
  completionOf,
  holdMany,
  holdOne,
  makeCall,
  makeJob,
  makeLane,
  only,
  readyLane,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';

const policy = definitionDefaults.retryPolicy;
const failure = { ...systemFailure('APPLICATION', 'Oops', 'x'.repeat(5_000)), stackTrace: 'secret', exitCode: 3 };
const moment = (nowUs: number) => ({ nowUs, random: 0.5 });
const MANY = 1 << 20;

export function outboxSuite(context: StoreContext): void {
  const relayId = crypto.randomUUID();
  const take = async (maxBytes = MANY) => (await context.store.outbox.take(relayId, maxBytes, 60_000)) ?? [];
  const finish = (rowIds: readonly number[]) => context.store.outbox.finish(relayId, rowIds);

  /** The new rows since the last call, flattened. */
  async function outboxRows() {
    const rows = await take();
    await finish(rows.map((row) => row.rowId));
    return rows.flatMap((row) => row.changes).flatMap(eachOf);
  }

  describe('the outbox', () => {
    beforeEach(async () => {
      await emptyTables(context);
      await sql(context, `UPDATE outbox_turns SET turn_until = '-infinity'`);
    });

    it('has one row of new jobs for each statement, with its time', async () => {
      const laneIds = [await makeLane(context), await makeLane(context)] as const;
      const jobs = [
        makeJob(laneIds[0]),
        makeJob(laneIds[1], { state: 'SCHEDULED', runTimeUs: 4_000_000_000_000_000 }),
        makeJob(laneIds[0]),
      ];
      await context.store.submit([makeCall(jobs.slice(0, 2)), makeCall(jobs.slice(2))]);
      const row = only(await take());
      const byId = (a: { jobId: string }, b: { jobId: string }) => (a.jobId < b.jobId ? -1 : 1);
      expect(row.changes).toHaveLength(2);
      expect(row.changes.flatMap(eachOf).sort(byId)).toEqual(
        jobs.map(({ jobId, laneId, state }) => ({
          jobId,
          laneId,
          state,
          revision: 1,
          attempt: 0,
          previousState: undefined,
          failure: undefined,
        })),
      );
      const view = await context.store.readJob('default', jobs[0]?.jobId as string);
      expect(row.eventTimeUs).toBe(view?.createTimeUs);
    });

    it('has one creation event, and no more, for a job that is stored with a permit', async () => {
      const { laneId, sessionId } = await readyLane(context, 0);
      const { call, permits } = assignedCall(laneId, sessionId);
      await context.store.submit([call], permits);
      expect(await outboxRows()).toMatchObject(call.jobs.map(({ jobId }) => ({ jobId, state: 'READY', revision: 1 })));
    });

    it('has no events of a repeated or refused call', async () => {
      const laneId = await makeLane(context);
      const request = { requestId: crypto.randomUUID(), bodyHash: bytes('b') };
      await context.store.submit([makeCall([makeJob(laneId)], request)]);
      await context.store.submit([makeCall([makeJob(laneId)], request)]);
      const key = { index: 0, key: crypto.randomUUID(), contentHash: bytes('c'), policy: 'FAIL' } as const;
      for (const contentHash of [bytes('c'), bytes('d')]) {
        await context.store.submit([makeCall([makeJob(laneId)], { keys: [{ ...key, contentHash }] })]);
      }
      expect(await outboxRows()).toHaveLength(2);
    });

    it('has the completions with their result', async () => {
      const [a, b] = await holdMany(context, 2);
      if (!a || !b) throw new Error('two jobs are held');
      await context.store.observe([b], 0);
      await outboxRows();
      await context.store.complete([completionOf(a), completionOf(b), completionOf({ ...a, attempt: 9 })]);
      const common = { state: 'SUCCEEDED', attempt: 1, failure: undefined };
      expect((await outboxRows()).sort((x, y) => x.revision - y.revision)).toEqual([
        { ...common, jobId: a.jobId, laneId: a.laneId, revision: 3, previousState: 'ASSIGNED' },
        { ...common, jobId: b.jobId, laneId: b.laneId, revision: 4, previousState: 'RUNNING' },
      ]);
      await context.store.complete([completionOf(a)]);
      expect(await outboxRows()).toEqual([]);
    });

    it('has no events of claims, of starts and of changes that keep the state', async () => {
      const { laneId, sessionId } = await readyLane(context, 2);
      await outboxRows();
      const [held] = await claimMany(context, laneId, sessionId, 1);
      if (!held) throw new Error('a job is held');
      await context.store.observe([held], 0);
      await context.store.saveProgress(
        [{ ...held, sequence: 1, fraction: 0.5, message: undefined, checkpoint: undefined }],
        0,
      );
      const [waiting] = await submitMany(context, laneId, 1);
      await outboxRows();
      await context.store.change(
        { by: 'jobs', namespace: 'default', jobIds: [waiting as string] },
        (run, nowUs) => decideUpdate(run, { priority: 1 }, moment(nowUs)) as Change,
      );
      expect(await outboxRows()).toEqual([]);
    });

    it('has failures without their stack traces, releases and cancels', async () => {
      const [failing, released, cancelled] = await holdMany(context, 3);
      if (!failing || !released || !cancelled) throw new Error('three jobs are held');
      await outboxRows();
      await context.store.change({ by: 'attempts', attempts: [failing] }, (run, nowUs) =>
        decideFail(run, failure, policy, moment(nowUs)),
      );
      const [failed] = await outboxRows();
      expect(failed).toMatchObject({ jobId: failing.jobId, previousState: 'ASSIGNED', state: 'SCHEDULED', attempt: 1 });
      expect(failed?.failure).toEqual({ ...failure, message: `${'x'.repeat(1_023)}…`, stackTrace: '' });
      await context.store.change({ by: 'attempts', attempts: [released] }, (run, nowUs) =>
        decideRelease(run, 'NO_SLOT', moment(nowUs)),
      );
      expect(await outboxRows()).toMatchObject([
        { jobId: released.jobId, state: 'READY', revision: 3, failure: undefined },
      ]);
      const jobIds = [cancelled.jobId, released.jobId].sort();
      await context.store.change({ by: 'jobs', namespace: 'default', jobIds }, (run, nowUs) =>
        decideCancel(run, 'why', 1_000, moment(nowUs)),
      );
      expect((await outboxRows()).sort((a, b) => (a.state < b.state ? -1 : 1))).toMatchObject([
        { jobId: released.jobId, state: 'CANCELLED', previousState: 'READY', revision: 4 },
        { jobId: cancelled.jobId, state: 'CANCELLING', previousState: 'ASSIGNED', revision: 3 },
      ]);
    });

    it('is rolled back with the transaction', async () => {
      const job = await holdOne(context);
      await outboxRows();
      await expect(
        context.store.together(async (store) => {
          await store.complete([completionOf(job)]);
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect(await outboxRows()).toEqual([]);
    });

    it('returns rows in their order, up to a size', async () => {
      const laneId = await makeLane(context);
      for (let i = 0; i < 5; i++) await submitMany(context, laneId, 10);
      const first = await take(300);
      expect(first).toHaveLength(2);
      await finish(first.map((row) => row.rowId));
      const second = await take();
      expect(second).toHaveLength(3);
      const ids = [...first, ...second].map((row) => row.rowId);
      expect(ids).toEqual([...ids].sort((a, b) => a - b));
      await finish(ids);
      expect(await sql(context, 'SELECT FROM outbox')).toEqual([]);
    });

    it('is taken by one relay at a time, until it has finished or its time is up', async () => {
      const { outbox } = context.store;
      const another = crypto.randomUUID();
      const laneId = await makeLane(context);
      await submitMany(context, laneId, 1);
      expect(await take()).toHaveLength(1);
      expect(await outbox.take(another, MANY, 60_000)).toBeUndefined();
      expect(await take()).toHaveLength(1);
      // A relay without a turn ends no other relay's turn.
      await outbox.finish(another, []);
      expect(await outbox.take(another, MANY, 60_000)).toBeUndefined();
      await finish([]);
      expect(await outbox.take(another, MANY, 60_000)).toHaveLength(1);
      expect(await outbox.take(relayId, MANY, 60_000)).toBeUndefined();
      await sql(context, `UPDATE outbox_turns SET turn_until = muster_now() - interval '1 ms'`);
      const [row] = await take();
      await finish([row?.rowId as number]);
      expect(await take()).toEqual([]);
    });

    it('has no turn that was taken while the clock was an hour ahead', async () => {
      await submitMany(context, await makeLane(context), 1);
      await context.store.outbox.take(crypto.randomUUID(), MANY, 60_000);
      expect(await take()).toEqual([]);
      await sql(context, `UPDATE outbox_turns SET turn_until = turn_until + interval '1 hour'`);
      expect(await take()).toHaveLength(1);
    });

    it('stores a flush of 1,000 jobs as one row', async () => {
      const laneId = await makeLane(context);
      const jobIds = await submitMany(context, laneId, 1_000);
      const rows: OutboxRow[] = await take();
      expect(only(only(rows).changes)).toMatchObject({ state: 'READY', revision: 1 });
      expect(eachOf(only(only(rows).changes)).map((change) => change.jobId)).toEqual(jobIds);
    });

    it('drops rows that are too old, and returns how many', async () => {
      const laneId = await makeLane(context);
      await submitMany(context, laneId, 3);
      await submitMany(context, laneId, 2);
      await sql(
        context,
        `UPDATE outbox SET event_time = event_time - interval '1 hour' WHERE row_id = (SELECT min(row_id) FROM outbox)`,
      );
      expect(await context.store.outbox.dropOlder(3_000_000)).toBe(3);
      expect(await context.store.outbox.dropOlder(3_000_000)).toBe(0);
      expect(only(await take()).changes.flatMap(eachOf)).toHaveLength(2);
    });
  });
}
