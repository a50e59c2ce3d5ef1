/** Waits of handlers by calls: read while attempt and lease are valid, and for each job completely or not at all. */
import { describe, expect, it } from 'vitest';
import { decideRelease } from '../../../../server/domain/jobs/decide.ts';
import { type StoreContext, sql } from '../../../support/store-context.ts';
import {
  claimMany,
  completionOf,
  keyOf,
  makeCall,
  makeJob,
  makeLane,
  only,
  openWorker,
  submitMany,
} from '../../../support/store-fixtures.ts';
import { handlerWait } from '../../../support/store-handler-waits.ts';
import { startChildren, startWorkflow } from '../../../support/store-workflows.ts';

const LEASE_MS = 600_000;

export function handlerWaitsSuite(context: StoreContext): void {
  /** A namespace of its own, with a worker that holds that many jobs. */
  async function hold(count: number) {
    const namespace = `ns-${crypto.randomUUID()}`;
    const laneId = await makeLane(context, { namespace });
    await submitMany(context, laneId, count);
    const { sessionId } = await openWorker(context, { namespace, workerName: 'patient' });
    const claimed = await claimMany(context, laneId, sessionId, count);
    return { namespace, laneId, sessionId, claimed, jobIds: claimed.map(({ jobId }) => jobId).toSorted() };
  }
  const read = async (namespace: string, limit = 100) => {
    const { handlers, isCut } = await context.store.deadlocks.readWaitingHandlers(namespace, limit);
    return { isCut, waits: handlers.map(({ jobId, targetJobIds }) => [jobId, targetJobIds.toSorted()]) };
  };
  const targets = Array.from({ length: 3 }, () => crypto.randomUUID()).toSorted();
  const [first = '', second = '', third = ''] = targets;

  describe('handler waits', () => {
    it('are listed with the jobs that wait until the call has ended', async () => {
      const { namespace, laneId, sessionId, jobIds } = await hold(2);
      const [one = '', two = ''] = jobIds;
      const waits = [handlerWait(one, second, namespace), handlerWait(one, first, namespace)];
      const other = handlerWait(two, third, namespace);
      await context.store.deadlocks.saveHandlerWaits([...waits, other], LEASE_MS);
      const { handlers } = await context.store.deadlocks.readWaitingHandlers(namespace, 100);
      expect(handlers[0]).toEqual({
        jobId: one,
        targetJobIds: expect.arrayContaining([first, second]),
        state: 'ASSIGNED',
        laneId,
        limitId: undefined,
        sessionId,
        workerName: 'patient',
      });
      await context.store.deadlocks.dropHandlerWaits([other.waitId, crypto.randomUUID(), waits[0]?.waitId ?? '']);
      expect(await read(namespace)).toEqual({ isCut: false, waits: [[one, [first]]] });
    });

    it('are not stored for jobs that no session holds or of another namespace', async () => {
      const { namespace, laneId, jobIds } = await hold(1);
      const [ready] = await submitMany(context, laneId, 1);
      const there = await hold(1);
      const all = [ready, crypto.randomUUID(), only(there.jobIds)].map((jobId = '') =>
        handlerWait(jobId, first, namespace),
      );
      await context.store.deadlocks.saveHandlerWaits([...all, handlerWait(only(jobIds), first, namespace)], LEASE_MS);
      expect((await read(namespace)).waits).toEqual([[only(jobIds), [first]]]);
      expect((await read(there.namespace)).waits).toEqual([]);
    });

    it('stop counting when the attempt is over, also if its job is held again', async () => {
      const { namespace, laneId, sessionId, claimed } = await hold(1);
      const held = only(claimed);
      const wait = handlerWait(held.jobId, first, namespace);
      await context.store.deadlocks.saveHandlerWaits([wait], LEASE_MS);
      await context.store.change({ by: 'attempts', attempts: [keyOf(held)] }, (run, nowUs) =>
        decideRelease(run, 'NO_SLOT', { nowUs, random: 0 }),
      );
      expect((await read(namespace)).waits).toEqual([]);
      const again = only(await claimMany(context, laneId, sessionId, 1));
      expect([again.jobId, again.attempt]).toEqual([held.jobId, held.attempt + 1]);
      // The call still renews it, although its attempt is over.
      await context.store.deadlocks.saveHandlerWaits([wait], LEASE_MS);
      expect((await read(namespace)).waits).toEqual([]);
      await context.store.deadlocks.saveHandlerWaits([handlerWait(held.jobId, second, namespace)], LEASE_MS);
      expect((await read(namespace)).waits).toEqual([[held.jobId, [second]]]);
      await context.store.complete([completionOf(again)]);
      expect((await read(namespace)).waits).toEqual([]);
    });

    it('expire with their lease unless it is renewed, and are deleted', async () => {
      const { namespace, jobIds } = await hold(1);
      const wait = handlerWait(only(jobIds), first, namespace);
      await context.store.deadlocks.saveHandlerWaits([wait], -120_000);
      expect((await read(namespace)).waits).toEqual([]);
      await context.store.deadlocks.saveHandlerWaits([wait], LEASE_MS);
      expect((await read(namespace)).waits).toEqual([[only(jobIds), [first]]]);
      await context.store.deadlocks.saveHandlerWaits([wait, handlerWait(only(jobIds), second, namespace)], -120_000);
      for (let more = true; more; ) ({ more } = await context.store.clearExpired());
      expect(await sql(context, `SELECT FROM handler_waits WHERE namespace = '${namespace}'`)).toEqual([]);
    });

    it('are read completely or not at all for each job, up to the limit', async () => {
      const { namespace, jobIds } = await hold(2);
      const [one = '', two = ''] = jobIds;
      const waits = [one, two].flatMap((jobId) =>
        [first, second].map((target) => handlerWait(jobId, target, namespace)),
      );
      await context.store.deadlocks.saveHandlerWaits(waits, LEASE_MS);
      expect(await read(namespace, 3)).toEqual({ isCut: true, waits: [[one, [first, second]]] });
      expect(await read(namespace, 1)).toEqual({ isCut: true, waits: [] });
      expect((await read(namespace, 4)).isCut).toBe(false);
    });
  });

  describe('the job that is waited for', () => {
    it('is read with its dependencies and its open children', async () => {
      const { store } = context;
      const laneId = await makeLane(context);
      const [target = ''] = await submitMany(context, laneId, 1);
      const dependencies = [{ on: { kind: 'JOB', jobId: target }, condition: 'ENDED' }] as const;
      const blocked = makeJob(laneId, { dependencies });
      await store.submit([makeCall([blocked], { isDependent: true })]);
      const found = await store.deadlocks.readAwaitedJobs([blocked.jobId, target, crypto.randomUUID()]);
      expect(found.toSorted((a, b) => (a.state < b.state ? -1 : 1))).toMatchObject([
        { jobId: blocked.jobId, state: 'BLOCKED', laneId, attempt: 0, limitId: undefined, dependencies },
        { jobId: target, state: 'READY', dependencies: [] },
      ]);
      const parentJobId = await startWorkflow(context);
      const { ids } = await startChildren(context, parentJobId, 1, 3);
      const children = await store.deadlocks.readOpenChildren([parentJobId, target], 10);
      expect(children.map(({ jobId }) => jobId).toSorted()).toEqual(ids.toSorted());
      expect(await store.deadlocks.readOpenChildren([parentJobId], 2)).toHaveLength(2);
    });
  });
}
