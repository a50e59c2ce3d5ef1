/** Explanations over the wire of jobs with demands on their worker: sticky workers, and resources in use. */

import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Constraint } from '@muster-jobs/sdk/gen/muster/v1/job_explanation_pb';
import { WaitReason } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { StickyMode } from '@muster-jobs/sdk/gen/muster/v1/placement_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { offerOf, outcomes, type TestWorker } from '../base/test-worker.ts';
import { World } from '../base/world.ts';
import { Explaining, idsOf, reasonsOf } from './explaining.ts';

const done = outcomes.result();

describe.each(databaseKinds)('explanations of jobs with demands on %s', (kind) => {
  let world: World;
  let ask: Explaining;

  beforeAll(async () => {
    world = await World.startOn(kind);
    ask = new Explaining(world);
  });

  afterAll(() => world?.stop());

  it('name the worker that a sticky job requires, though others have free slots', async () => {
    const { definition } = await ask.define();
    const blocker = await world.openWorkerOf({ ...offerOf(definition), workerName: 'gpu-1' });
    const earlier = await world.submit(definition);
    const [first] = await blocker.take(1);
    await blocker.report({ of: first as Assignment, outcome: done });
    await blocker.close();
    await world.openWorkerOf({ ...offerOf(definition), workerName: 'gpu-2' });
    const hard = await world.submit(definition, { sticky: { jobId: earlier, mode: StickyMode.HARD } });
    const { message, nextStep } = await ask.constraintOf(hard, WaitReason.NO_WORKER);
    expect(message).toBe('it waits for worker gpu-1, which it keeps to: it is not connected, or no longer serves it');
    expect(nextStep).toContain(`start a worker that serves definition ${definition} version 1 as worker gpu-1;`);
    expect(await ask.waitReasonOf(hard)).toBe('NO_WORKER');
    const soft = await world.submit(definition, { sticky: { jobId: earlier } });
    expect(reasonsOf(await ask.explain(soft))).not.toContain('NO_WORKER');
  });

  it('name the resource that a session with free slots lacks', async () => {
    const { definition } = await ask.define({ demands: { resources: { gpu: 1 } } });
    const worker = await world.openWorkerOf({ ...offerOf(definition), slots: 10, resources: { gpu: 2 } });
    const jobIds = await ask.submitMany(definition, 3);
    const [first] = await worker.take(2);
    const last = jobIds[2] as string;
    const found = await ask.constraintOf(last, WaitReason.IN_LINE);
    expect(found).toMatchObject({
      message: 'it is next, and it waits for capacity: it takes gpu 1; worker test-worker has less than that left',
      blockers: [{ jobId: '', sessionId: worker.sessionText }],
    });
    expect(await ask.waitReasonOf(last)).toBe('IN_LINE');
    await worker.report({ of: first as Assignment, outcome: done });
    expect(reasonsOf(await ask.explain(last))).toEqual([]);
  });

  /** Milliseconds from now until it opens. */
  const opensIn = ({ openTime }: Constraint) => (openTime ? timestampMs(openTime) - Date.now() : Number.NaN);

  /**
   * A job that is seen while it prefers a better worker than this one, which takes it some seconds later. It may not be
   * the first submission.
   */
  const withPreference = (other: TestWorker, words: RegExp, submit: () => Promise<string>) =>
    eventually('a job is seen that holds out', async () => {
      await other.offer(1);
      const jobId = await submit();
      const [explanation, job] = [await ask.explain(jobId), await world.getJob(jobId)];
      const found = explanation.constraints.find(({ message }) => words.test(message));
      const isSeen = found?.reason === WaitReason.IN_LINE && job.waitReason === WaitReason.IN_LINE;
      return isSeen ? { jobId, explanation, job, found } : undefined;
    });

  it('name the worker that a job prefers while others have free slots, and the end of that wait', async () => {
    const { definition } = await ask.define();
    const blocker = await world.openWorkerOf({ ...offerOf(definition), workerName: 'host-1', slots: 2 });
    const other = await world.openWorkerOf({ ...offerOf(definition), workerName: 'host-2' });
    const [earlier = ''] = await ask.submitMany(definition, 2);
    await blocker.take(2);
    await other.becomeReachable();
    const words = /^it is next, and it holds out for worker host-1 until about \S+Z, and then takes any other$/;
    const sticky = { sticky: { jobId: earlier } };
    const { jobId: soft, ...seen } = await withPreference(other, words, () => world.submit(definition, sticky));
    const { found, job, explanation } = seen;
    expect(found.blockers).toMatchObject([{ jobId: '', sessionId: blocker.sessionText, workerName: 'host-1' }]);
    expect(opensIn(found)).toBeLessThanOrEqual(3_500);
    expect(job.stateReason).toContain('it holds out for worker host-1');
    const { startEstimate } = explanation;
    expect(startEstimate?.latestTime).toEqual(found.openTime);
    expect(startEstimate?.basis).toMatch(/^it is likely to start by /);
    await eventually('the other one takes it', () => idsOf(other.assigned).includes(soft));
    expect((await ask.explain(soft)).constraints).toEqual([]);
  });

  it('name the label expression that a job prefers', async () => {
    const { definition } = await ask.define({ demands: { preferred: 'has(labels.ssd)' } });
    const ssd = await world.openWorkerOf({ ...offerOf(definition), slots: 1, labels: { ssd: 'yes' } });
    const plain = await world.openWorkerOf(offerOf(definition));
    await world.submit(definition);
    await ssd.take(1);
    await plain.becomeReachable();
    const words = /it holds out for a worker whose labels meet has\(labels\.ssd\) until about /;
    const { jobId, found } = await withPreference(plain, words, () => world.submit(definition));
    expect(found.blockers).toMatchObject([{ sessionId: ssd.sessionText }]);
    expect(opensIn(found)).toBeLessThanOrEqual(3_500);
    await eventually('the other one takes it', () => idsOf(plain.assigned).includes(jobId));
  });

  it('show how long sessions get no similar job after one of them reported that it can not run it', async () => {
    const { definition } = await ask.define();
    const jobId = await world.submit(definition);
    const worker = await world.openWorker(definition);
    const [of] = await worker.take(1);
    await worker.report({ of: of as Assignment, outcome: outcomes.released(6) });
    await worker.offer(1);
    const found = await eventually('it is back', async () => {
      const { constraints } = await ask.explain(jobId);
      return constraints.find(({ reason }) => reason === WaitReason.NO_WORKER);
    });
    expect(found.message).toMatch(
      /of the 1 session that could, 1 is barred until \S+Z, because a session of the same class reported that it can't run it$/,
    );
    expect(found.blockers).toMatchObject([{ sessionId: worker.sessionText }]);
    expect(opensIn(found)).toBeGreaterThan(20_000);
    expect(opensIn(found)).toBeLessThanOrEqual(30_500);
    expect(await ask.waitReasonOf(jobId)).toBe('NO_WORKER');
  });
});
