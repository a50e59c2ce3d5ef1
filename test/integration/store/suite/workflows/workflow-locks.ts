/** The lock of a workflow, and its remaining inbox rows. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideFail, end } from '../../../../../server/domain/jobs/decide.ts';
import { untilWaitsOrOver } from '../../../../support/databases/postgres-waits.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  completionOf,
  makeLane,
  only,
  payload,
  readRow,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';
import {
  cancelOne,
  changeOne,
  holdChildren,
  lockAll,
  makeStep,
  startChildren,
  startedRun,
  startWorkflow,
  succeed,
} from '../../../../support/store/store-workflows.ts';

const lastTry = { ...definitionDefaults.retryPolicy, maxAttempts: 1 };
const failure = {
  ...systemFailure('APPLICATION', 'Oops', 'it "broke" \\ {NULL}'),
  details: { data: new Uint8Array([0, 255]), contentType: 'x', metadata: { a: 'b' } },
};
const moment = (nowUs: number) => ({ nowUs, random: 0.5 });

export function workflowLocksSuite(context: StoreContext): void {
  const cancel = (jobId: string) => cancelOne(context, jobId);
  const inbox = async (jobId: string) => only(await lockAll(context, [jobId])).inbox;
  const kinds = async (jobId: string) => (await inbox(jobId)).map(({ kind }) => kind);
  const countInbox = async (jobId: string) =>
    only(await sql(context, `SELECT count(*)::int AS n FROM job_inbox WHERE subject_id = '${jobId}'`)).n as number;

  describe('the lock of a workflow', () => {
    it('returns everything that is stored of it', async () => {
      const labels = { team: 'a' };
      const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
      const input = { ...payload('in'), metadata: { m: 'n' } };
      const rest = { priority: 5, labels, input, fairnessKey: 'f', traceparent, tracestate: 'a=b' };
      const jobId = await startWorkflow(context, rest);
      const { laneId, ...found } = only(await lockAll(context, [jobId, jobId]));
      expect(laneId).toBe((await readRow(context, 'job_runs', jobId))?.lane_id);
      expect(found).toEqual({
        ...rest,
        jobId,
        notifiesDependents: false,
        state: 'WAITING',
        reason: undefined,
        input: { ...input, data: Buffer.from(input.data) },
        depth: 1,
        run: undefined,
        failure: undefined,
        inbox: [
          { rowId: found.inbox[0]?.rowId, kind: 'STARTED', step: undefined, state: undefined, items: [], childIds: [] },
        ],
      });
      const plain = only(await lockAll(context, [await startWorkflow(context)]));
      expect(plain).toMatchObject({ labels: {}, traceparent: '', tracestate: '', fairnessKey: undefined });
    });

    it('works for workflows that run: not for those that are ready, held by a session, or ended', async () => {
      const laneId = await makeLane(context);
      const [ready] = await submitMany(context, laneId, 1);
      const [held] = await holdChildren(context, randomUUID(), 1, 1);
      await cancel(held?.jobId as string);
      const ended = await startWorkflow(context);
      await changeOne(context, ended, succeed);
      expect(await lockAll(context, [ready as string, held?.jobId as string, ended, randomUUID()])).toEqual([]);
    });

    it('returns the number of workflows around it', async () => {
      const outer = await startWorkflow(context);
      const write = (jobId: string, depth: number) =>
        context.store.together((store) =>
          store.workflows.write({
            runs: [{ jobId, depth, run: startedRun, failure: undefined, notUndone: undefined }],
            steps: [],
            compensations: [],
          }),
        );
      await write(outer, 15);
      const inner = await startWorkflow(context, { parent: { jobId: outer, step: 0, item: 0 } });
      expect(await lockAll(context, [inner])).toMatchObject([{ depth: 16, run: undefined }]);
      await write(inner, 3);
      expect(await lockAll(context, [inner])).toMatchObject([{ depth: 3, run: startedRun }]);
    });

    it('takes inbox rows once, oldest first, 1,000 at a time; rows for cancels stay until deleted', async () => {
      const jobId = await startWorkflow(context);
      const write = (kind: 'CONTINUE' | 'CANCEL_CHILDREN', step: number | undefined) =>
        context.store.inbox.add([{ jobId, step, kind } as never]);
      await write('CANCEL_CHILDREN', 7);
      await write('CANCEL_CHILDREN', undefined);
      await write('CONTINUE', 7);
      const first = await inbox(jobId);
      expect(first.map(({ kind, step }) => [kind, step])).toEqual([
        ['STARTED', undefined],
        ['CANCEL_CHILDREN', 7],
        ['CANCEL_CHILDREN', undefined],
        ['CONTINUE', 7],
      ]);
      const second = await inbox(jobId);
      expect(second.map(({ rowId }) => rowId)).toEqual([first[1]?.rowId, first[2]?.rowId]);
      await context.store.inbox.drop([first[1]?.rowId as number]);
      expect((await inbox(jobId)).map(({ rowId }) => rowId)).toEqual([first[2]?.rowId]);
      await context.store.inbox.drop(second.map(({ rowId }) => rowId));
      await sql(
        context,
        `INSERT INTO job_inbox (subject_id, kind, step, entry_time) SELECT '${jobId}', 5, n, muster_now() FROM generate_series(1, 1001) AS n`,
      );
      const many = await inbox(jobId);
      expect([many.length, many[0]?.step, many[999]?.step]).toEqual([1_000, 1, 1_000]);
      expect((await inbox(jobId)).map(({ step }) => step)).toEqual([1_001]);
    });

    it('returns the inbox rows that it took if its transaction fails', async () => {
      const jobId = await startWorkflow(context);
      const broken = context.store.together(async (store) => {
        await store.workflows.lock([jobId]);
        throw new Error('broken');
      });
      await expect(broken).rejects.toThrow('broken');
      expect(await kinds(jobId)).toEqual(['STARTED']);
    });

    it.skipIf(context.kind === 'PGlite')(
      'waits for the transaction that has it, and sees what that one wrote',
      async () => {
        const [one, two] = [await startWorkflow(context), await startWorkflow(context)];
        let waiting: Promise<unknown> = Promise.resolve();
        await context.store.together(async (store) => {
          expect((await store.workflows.lock([one])).map(({ jobId }) => jobId)).toEqual([one]);
          waiting = context.store.together(async (other) => {
            const locked = await other.workflows.lock([one, two]);
            return { locked, steps: await other.workflows.readSteps([{ jobId: one, step: 3 }]) };
          });
          expect(await untilWaitsOrOver(context.database, waiting)).toBe('waits');
          await store.workflows.write({
            runs: [],
            steps: [makeStep(one, 3, { reason: 'written' })],
            compensations: [],
          });
          await store.inbox.add([{ jobId: one, step: undefined, kind: 'CONTINUE' }]);
        });
        expect(await waiting).toMatchObject({
          locked: [
            { jobId: one, inbox: [{ kind: 'CONTINUE' }] },
            { jobId: two, inbox: [{ kind: 'STARTED' }] },
          ],
          steps: [{ reason: 'written' }],
        });
      },
    );

    it.skipIf(context.kind === 'PGlite')('delays no end of its jobs', async () => {
      const jobId = await startWorkflow(context);
      const children = await holdChildren(context, jobId, 1, 2);
      await context.store.together(async (store) => {
        await store.workflows.lock([jobId]);
        const [first, second] = children.map((child) => completionOf(child));
        expect(await context.store.complete([first as never])).toHaveLength(1);
        await context.store.change({ by: 'attempts', attempts: [second as never] }, (run, nowUs) =>
          decideFail(run, failure, lastTry, moment(nowUs)),
        );
      });
      expect(await kinds(jobId)).toEqual(['CHILDREN_ENDED', 'CHILDREN_ENDED']);
    });
  });

  describe('the remaining inbox rows', () => {
    beforeEach(() => emptyTables(context));

    const abandoned = async (olderThanMs: number, limit: number) =>
      (await context.store.inbox.findAbandoned(olderThanMs, limit, 0)).workflows;

    it('name open workflows with old rows, oldest first', async () => {
      const ids = [await startWorkflow(context), await startWorkflow(context), await startWorkflow(context)];
      const [a, b, c] = ids as [string, string, string];
      await sql(
        context,
        `UPDATE job_inbox SET entry_time = entry_time - interval '1 minute' WHERE subject_id <> '${b}'`,
      );
      await context.store.inbox.add([{ jobId: a, step: 1, kind: 'CONTINUE' }]);
      expect(await abandoned(30_000, 10)).toEqual([a, c]);
      expect(await abandoned(30_000, 1)).toEqual([a]);
      expect(await abandoned(0, 10)).toEqual(ids);
      await lockAll(context, ids);
      expect(await abandoned(0, 10)).toEqual([]);
    });

    it('name a workflow with a row from the future, which the clock left when it was ahead', async () => {
      const jobId = await startWorkflow(context);
      expect(await abandoned(30_000, 10)).toEqual([]);
      await sql(context, `UPDATE job_inbox SET entry_time = entry_time + interval '1 hour'`);
      expect(await abandoned(30_000, 10)).toEqual([jobId]);
    });

    it('are deleted if the workflow has ended, and no others', async () => {
      const [over, open] = [await startWorkflow(context), await startWorkflow(context)];
      await startChildren(context, over, 1, 1).then(({ ids }) => cancel(only(ids)));
      await changeOne(context, over, succeed);
      expect([await countInbox(over), await countInbox(open)]).toEqual([2, 1]);
      expect(await abandoned(60_000, 10)).toEqual([]);
      expect(await countInbox(over)).toBe(2);
      expect(await abandoned(0, 10)).toEqual([open]);
      expect([await countInbox(over), await countInbox(open)]).toEqual([0, 1]);
    });

    it('are kept while jobs of an ended workflow must still be cancelled', async () => {
      const [over, open] = [await startWorkflow(context), await startWorkflow(context)];
      await lockAll(context, [over, open]);
      const cancels = [undefined, 7, undefined].map((step, i) => {
        return { jobId: i < 2 ? over : open, step, kind: 'CANCEL_CHILDREN' as const };
      });
      const entries = context.store.inbox;
      await entries.add(cancels);
      await changeOne(context, over, (run) => end('fail', run, 'FAILED', { failure }));
      expect(await entries.findAbandoned(60_000, 10, 0)).toEqual({
        workflows: [],
        cancels: [],
        dependencies: false,
        nextRowId: 0,
      });
      for (const _ of [1, 2]) {
        const found = await entries.findAbandoned(0, 10, 0);
        expect(found.workflows).toEqual([open]);
        expect(found.cancels).toMatchObject([
          { namespace: 'default', jobId: over, step: undefined },
          { namespace: 'default', jobId: over, step: 7 },
        ]);
        expect((await entries.findAbandoned(0, 1, 0)).cancels).toEqual(found.cancels.slice(0, 1));
      }
      const { cancels: left } = await entries.findAbandoned(0, 10, 0);
      await entries.drop(left.map(({ rowId }) => rowId));
      expect(await entries.findAbandoned(0, 10, 0)).toEqual({
        workflows: [open],
        cancels: [],
        dependencies: false,
        nextRowId: 0,
      });
      expect([await countInbox(over), await countInbox(open)]).toEqual([0, 1]);
    });

    it('are deleted with a workflow by retention', async () => {
      const jobId = randomUUID();
      await context.store.inbox.add([{ jobId, step: undefined, kind: 'CANCEL_CHILDREN' }]);
      expect(await context.store.inbox.findAbandoned(0, 10, 0)).toEqual({
        workflows: [],
        cancels: [],
        dependencies: false,
        nextRowId: 0,
      });
      expect(await countInbox(jobId)).toBe(0);
    });
  });
}
