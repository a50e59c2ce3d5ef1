/** One worker shown and drained: after the answer of DrainWorker nothing more is assigned to it. */

import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { SessionState } from '@muster-jobs/sdk/gen/muster/v1/worker_pb';
import { WorkerService } from '@muster-jobs/sdk/gen/muster/v1/worker_service_pb';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { uuidFromBytes } from '../../../../server/domain/base/uuid.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { runsAll } from '../../../support/run/cases.ts';
import { offerOf, outcomes, type TestWorker } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { getWorker, drainWorker, listWorkers } = WorkerService.method;
const { submitJobs, cancelJob } = JobService.method;

describe.each(databaseKinds)('with %s,', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  const probe = (worker: TestWorker) => world.rpc.call(getWorker, { sessionId: worker.sessionText });
  const drain = (worker: TestWorker) => world.rpc.call(drainWorker, { sessionId: worker.sessionText });
  const submitMany = (definition: string, count: number) =>
    world.rpc.call(submitJobs, { jobs: Array.from({ length: count }, () => ({ definition })) });

  describe('GetWorker', () => {
    it('shows the worker and its jobs, held longest first, each with its state and progress', async () => {
      const definition = await world.define();
      const worker = await world.openWorker(definition);
      const ids: string[] = [];
      for (let i = 0; i < 3; i++) {
        ids.push(await world.submit(definition));
        await worker.take(1);
      }
      const [first, , third] = worker.assigned;
      if (!first || !third) throw new Error('three were assigned');
      await worker.beat({
        heldAttempts: worker.assigned.map(({ jobId, attempt }, i) => ({ jobId, attempt, started: i === 0 })),
        progress: [{ jobId: first.jobId, attempt: 1, sequence: 1n, progress: { fraction: 0.5, message: 'half' } }],
      });
      await world.rpc.call(cancelJob, { jobId: ids[2] as string });
      const { worker: shown, heldJobs } = await probe(worker);
      expect(shown).toMatchObject({
        sessionId: worker.sessionText,
        state: SessionState.OPEN,
        heldCount: 3,
        draining: false,
      });
      expect(heldJobs.map(({ jobId }) => jobId)).toEqual(ids);
      expect(heldJobs.every((job) => job.definition === definition && job.attempt === 1 && job.assignTime)).toBe(true);
      expect(heldJobs.map(({ state }) => state)).toEqual([JobState.RUNNING, JobState.ASSIGNED, JobState.CANCELLING]);
      expect(heldJobs[0]?.progress).toMatchObject({ fraction: 0.5, message: 'half' });
      expect(heldJobs[1]?.progress).toBeUndefined();
    });

    it.runIf(runsAll)('shows at most 1,000 of its jobs, and their number', async () => {
      const definition = await world.define();
      const worker = await world.openWorkerOf({ ...offerOf(definition), slots: 10_000 });
      await submitMany(definition, 1_001);
      await worker.take(1_001);
      const { worker: shown, heldJobs } = await probe(worker);
      expect([shown?.heldCount, heldJobs.length]).toEqual([1_001, 1_000]);
    });

    it('shows a closed one, which is not deaf and holds nothing', async () => {
      const { worker } = await world.hold();
      for (let i = 0; i < 4; i++) await worker.beat({ pingEcho: 1n });
      expect((await probe(worker)).worker?.deaf).toBe(true);
      await worker.close();
      const { worker: shown, heldJobs } = await probe(worker);
      expect(shown).toMatchObject({ state: SessionState.CLOSED, deaf: false, heldCount: 0, draining: false });
      expect(heldJobs).toEqual([]);
    });
  });

  describe('DrainWorker', () => {
    it('lets it keep its jobs and gives it no more, whatever capacity it has offered', async () => {
      const definition = await world.define();
      const worker = await world.openWorker(definition);
      await worker.becomeReachable();
      await worker.beat({ credits: [{ creditId: 1n, slots: 90 }] });
      // Some are assigned by the submitting statement, others by claims.
      const submissions = Array.from({ length: 40 }, () => submitMany(definition, 1));
      await Promise.race(submissions);
      expect((await drain(worker)).worker).toMatchObject({ sessionId: worker.sessionText, draining: true });
      const held = (await probe(worker)).worker?.heldCount ?? -1;
      await Promise.all(submissions);
      await submitMany(definition, 10);
      await worker.beat({ credits: [{ creditId: 2n, slots: 50 }] });
      const left = await world.openWorker(definition);
      expect(await left.take(50 - held)).toHaveLength(50 - held);
      expect((await probe(worker)).worker?.heldCount).toBe(held);
    });

    it('is repeated in each heartbeat, shows in the list, and can be called twice', async () => {
      const { worker } = await world.hold();
      expect((await worker.beat()).drain).toBe(false);
      for (let i = 0; i < 2; i++) {
        expect((await drain(worker)).worker).toMatchObject({ draining: true, heldCount: 1, state: SessionState.OPEN });
        // Whatever the worker reports about itself.
        for (const draining of [false, true]) expect((await worker.beat({ draining })).drain).toBe(true);
      }
      const { workers } = await world.rpc.call(listWorkers, { pageSize: 1_000 });
      expect(workers.find(({ sessionId }) => sessionId === worker.sessionText)).toMatchObject({
        draining: true,
        heldCount: 1,
      });
    });

    it('lets it report running jobs, and ignores credits in the reports', async () => {
      const definition = await world.define();
      const worker = await world.openWorker(definition);
      const jobId = await world.submit(definition);
      const [attempt] = await worker.take(1);
      if (!attempt) throw new Error('nothing was assigned');
      await drain(worker);
      await world.rpc.call(SessionService.method.reportAttempts, {
        sessionId: worker.sessionId,
        reports: [{ jobId: attempt.jobId, attempt: 1, outcome: outcomes.result('done') }],
        credits: [{ creditId: 9n, slots: 9 }],
      });
      expect(await world.stateOf(jobId)).toBe('SUCCEEDED');
      const next = await world.submit(definition);
      const other = await world.openWorker(definition);
      const [taken] = await other.take(1);
      expect(uuidFromBytes(taken?.jobId ?? new Uint8Array(16))).toBe(next);
      expect(worker.assigned).toHaveLength(1);
    });

    it('succeeds for a worker that has drained and ended, and is refused for one that ended by itself', async () => {
      const [drained, gone] = [await world.openWorker('x'), await world.openWorker('x')];
      await drain(drained);
      for (const worker of [drained, gone]) await worker.close();
      expect((await drain(drained)).worker).toMatchObject({ state: SessionState.CLOSED, draining: true });
      const refusal = await world.rpc.refused(drainWorker, { sessionId: gone.sessionText });
      expect([refusal.code, refusal.reason]).toEqual([Code.FAILED_PRECONDITION, 'SESSION_CLOSED']);
      expect(refusal.info?.metadata).toMatchObject({ session_id: gone.sessionText });
    });
  });
});
