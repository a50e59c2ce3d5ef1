/** Explanations over the wire: each reason why a job waits, its blockers, and when it opens. */

import { randomUUID } from 'node:crypto';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Constraint } from '@muster-jobs/sdk/gen/muster/v1/job_explanation_pb';
import { JobState, WaitReason } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import { WorkerService } from '@muster-jobs/sdk/gen/muster/v1/worker_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';
import { Explaining, idsOf, reasonsOf } from './explaining.ts';

const { explainJob, pauseJob, resumeJob, updateJob } = JobService.method;
const hour = { seconds: 3_600n };
const failed = outcomes.failure();

describe.each(databaseKinds)('explanations of a waiting job on %s', (kind) => {
  let world: World;
  let ask: Explaining;

  beforeAll(async () => {
    world = await World.startOn(kind);
    ask = new Explaining(world);
  });

  afterAll(() => world?.stop());

  it('refuse an unknown id and an invalid one', async () => {
    const missing = await world.rpc.refused(explainJob, { jobId: randomUUID() });
    expect(missing).toMatchObject({ code: Code.NOT_FOUND, reason: 'JOB_NOT_FOUND' });
    const malformed = await world.rpc.refused(explainJob, { jobId: 'x' });
    expect(malformed).toMatchObject({ code: Code.INVALID_ARGUMENT, fields: ['job_id'] });
    const { definition } = await ask.define();
    const elsewhere = await world.rpc.refused(explainJob, {
      jobId: await world.submit(definition),
      namespace: 'other',
    });
    expect(elsewhere.code).toBe(Code.NOT_FOUND);
  });

  it('show for a paused job the time and the reason, and what stops it afterwards', async () => {
    const { definition } = await ask.define();
    const jobId = await world.submit(definition, { start: { case: 'delay', value: hour } });
    await world.rpc.call(pauseJob, { jobId, reason: 'wrong address' });
    const explanation = await ask.explain(jobId);
    expect(explanation).toMatchObject({ state: JobState.PAUSED, position: 0 });
    expect(reasonsOf(explanation)).toEqual(['JOB_PAUSED', 'DELAY', 'NO_WORKER']);
    const paused = await ask.constraintOf(jobId, WaitReason.JOB_PAUSED);
    expect(paused).toMatchObject({ message: 'it is paused: wrong address', sinceTime: explanation.stateTime });
    expect(timestampMs(paused.sinceTime as NonNullable<Constraint['sinceTime']>)).toBeGreaterThan(0);
    expect(paused.nextStep).toContain(`muster resume ${jobId}`);
    await world.rpc.call(updateJob, { jobId, priority: 5 });
    expect((await ask.explain(jobId)).stateTime).toEqual(explanation.stateTime);
    await world.rpc.call(resumeJob, { jobId });
    await world.rpc.call(pauseJob, { jobId });
    const again = (await ask.explain(jobId)).stateTime;
    expect(again && explanation.stateTime && timestampMs(again) >= timestampMs(explanation.stateTime)).toBe(true);
    expect(again).not.toEqual(explanation.stateTime);
    expect(await ask.waitReasonOf(jobId)).toBe('JOB_PAUSED');
  });

  it('show for a delayed job its time, which is the earliest start', async () => {
    const { definition } = await ask.define();
    const jobId = await world.submit(definition, { start: { case: 'delay', value: hour } });
    const delay = await ask.constraintOf(jobId, WaitReason.DELAY);
    const { runTime } = await world.getJob(jobId);
    expect(delay.openTime).toEqual(runTime);
    expect((await ask.explain(jobId)).startEstimate).toMatchObject({ earliestTime: runTime });
    expect(await ask.waitReasonOf(jobId)).toBe('DELAY');
  });

  it('show for a retry its time and the last failure', async () => {
    const { definition } = await ask.define({ retryPolicy: { maxAttempts: 3, minBackoff: hour, maxBackoff: hour } });
    const [worker, [of]] = await ask.hold(definition, 1);
    await worker.report({ of: of as Assignment, outcome: failed });
    const [jobId = ''] = idsOf([of as Assignment]);
    const backoff = await ask.constraintOf(jobId, WaitReason.RETRY_BACKOFF);
    expect(backoff.openTime).toEqual((await world.getJob(jobId)).runTime);
    expect(backoff.message).toContain('ValueError');
    const { attempts } = await world.getJob(jobId);
    expect((await ask.explain(jobId)).stateTime).toEqual(attempts[0]?.endTime);
    expect(await ask.waitReasonOf(jobId)).toBe('RETRY_BACKOFF');
  });

  it('show for a job without retry budget when it asks again', async () => {
    const soon = { nanos: 1_000_000 };
    const { definition } = await ask.define({
      retryPolicy: { maxAttempts: 9, minBackoff: soon, maxBackoff: soon },
      retryBudget: { ratio: 0, minPerMinute: 1 },
    });
    const [worker, attempts] = await ask.hold(definition, 8);
    await worker.report(...attempts.map((of) => ({ of, outcome: failed })));
    const waiting = await eventually('one waits for the budget', async () => {
      for (const jobId of idsOf(attempts)) if ((await ask.waitReasonOf(jobId)) === 'RETRY_BUDGET') return jobId;
      return undefined;
    });
    const budget = await ask.constraintOf(waiting, WaitReason.RETRY_BUDGET);
    expect(Number(budget.openTime?.seconds) % 60).toBe(0);
  });

  it('show for a paused queue the reason and the time', async () => {
    const { definition, queue } = await ask.define();
    const jobId = await world.submit(definition);
    await world.rpc.call(QueueService.method.pauseQueue, { name: queue, reason: 'the disk is full' });
    const paused = await ask.constraintOf(jobId, WaitReason.QUEUE_PAUSED);
    expect(paused.message).toBe(`queue ${queue} is paused: the disk is full`);
    expect(paused.message).toBe((await world.getJob(jobId)).stateReason);
    expect(await ask.waitReasonOf(jobId)).toBe('QUEUE_PAUSED');
    expect(paused.sinceTime).toBeDefined();
    await world.rpc.call(QueueService.method.pauseQueue, { name: queue, reason: 'still' });
    expect((await ask.constraintOf(jobId, WaitReason.QUEUE_PAUSED)).sinceTime).toEqual(paused.sinceTime);
    await world.rpc.call(QueueService.method.resumeQueue, { name: queue });
    expect(reasonsOf(await ask.explain(jobId))).toEqual(['NO_WORKER']);
  });

  it('show for an open breaker the time of the probe, then the probing job', async () => {
    const circuitBreaker = { failureThreshold: 1, openDuration: { seconds: 1n } };
    const { definition } = await ask.define({ circuitBreaker, retryPolicy: { maxAttempts: 1 } });
    const [worker, [of]] = await ask.hold(definition, 1);
    await worker.report({ of: of as Assignment, outcome: failed });
    const jobId = await world.submit(definition);
    const breaker = await ask.constraintOf(jobId, WaitReason.CIRCUIT_BREAKER);
    expect(breaker.message).toMatch(
      new RegExp(`^held back: circuit breaker ${definition} is open; a probe is made at`),
    );
    expect(breaker.openTime && breaker.sinceTime).toBeDefined();
    expect(await ask.waitReasonOf(jobId)).toBe('CIRCUIT_BREAKER');
    const last = await world.submit(definition);
    const [probe] = await worker.take(1);
    const trying = await ask.constraintOf(last, WaitReason.CIRCUIT_BREAKER);
    expect(trying).toMatchObject({ blockerCount: 1n, blockers: [{ jobId: idsOf([probe as Assignment])[0] }] });
    expect(trying.openTime).toBeUndefined();
  });

  it('name for a key at its limit the jobs that hold it', async () => {
    const { definition } = await ask.define({ keyLimit: { maxConcurrency: 2 } });
    const [worker, attempts] = await ask.hold(definition, 2);
    const [first = '', second = ''] = await ask.submitMany(definition, 2);
    await worker.offer(5);
    for (const jobId of [first, second]) {
      const limit = await ask.constraintOf(jobId, WaitReason.KEY_LIMIT);
      expect(limit).toMatchObject({ blockerCount: 2n, message: expect.stringContaining('2 at once') });
      expect(limit.blockers.map((blocker) => blocker.jobId).sort()).toEqual(idsOf(attempts).sort());
      expect(limit.blockers[0]).toMatchObject({ sessionId: worker.sessionText, workerName: 'test-worker' });
    }
    await eventually('they are out of the way', async () => (await ask.waitReasonOf(second)) === 'KEY_LIMIT');
    const places = [(await ask.explain(first)).position, (await ask.explain(second)).position];
    expect(places).toEqual([1, 2]);
  });

  it('show for a rate the time of the next units', async () => {
    const { definition, queue } = await ask.define();
    const rateLimit = { units: 1, period: hour };
    await world.rpc.call(QueueService.method.createQueue, { queue: { name: queue, rateLimit } });
    const [worker] = await ask.hold(definition, 1);
    const jobId = await world.submit(definition);
    await worker.offer(1);
    const limit = await ask.constraintOf(jobId, WaitReason.QUEUE_LIMIT);
    expect(limit).toMatchObject({ blockers: [], message: expect.stringContaining('1 each 3600 s') });
    const openMs = timestampMs(limit.openTime as NonNullable<Constraint['openTime']>);
    expect(openMs - Date.now()).toBeGreaterThan(3_000_000);
    expect((await ask.explain(jobId)).startEstimate?.earliestTime).toBeDefined();
  });

  it('name for limits of a definition and of a queue the jobs that hold them', async () => {
    const { definition, queue } = await ask.define({ maxConcurrency: 1 });
    await world.rpc.call(QueueService.method.createQueue, { queue: { name: queue, maxConcurrency: 1 } });
    const [, attempts] = await ask.hold(definition, 1);
    const jobId = await world.submit(definition);
    expect(reasonsOf(await ask.explain(jobId)).slice(0, 2)).toEqual(['DEFINITION_LIMIT', 'QUEUE_LIMIT']);
    for (const [reason, what] of [
      [WaitReason.DEFINITION_LIMIT, `definition ${definition}`],
      [WaitReason.QUEUE_LIMIT, `queue ${queue}`],
    ] as const) {
      const limit = await ask.constraintOf(jobId, reason);
      expect(limit.message).toBe(`${what} is at its limit: workers hold 1 of its jobs, and may hold 1`);
      expect(limit.blockers.map((blocker) => blocker.jobId)).toEqual(idsOf(attempts));
    }
    expect(await ask.waitReasonOf(jobId)).toBe('DEFINITION_LIMIT');
  });

  it('show which workers are missing: a version, a label, one that does not drain', async () => {
    const { definition } = await ask.define();
    const jobId = await world.submit(definition);
    const why = async (of = jobId) => (await ask.constraintOf(of, WaitReason.NO_WORKER)).message;
    const handlers = [{ name: definition, minVersion: 2, maxVersion: 2 }];
    await world.openWorkerOf({ workerName: 'older', protocolVersion: 1, slots: 1, handlers });
    expect(await why()).toBe(`no session serves definition ${definition} version 1; 1 session serves version 2`);
    const worker = await world.openWorker(definition);
    expect(reasonsOf(await ask.explain(jobId))).not.toContain('NO_WORKER');
    const labelled = await world.submit(definition, { demands: { labels: { gpu: 'a100' } } });
    expect(await why(labelled)).toMatch(/with the label gpu=a100; 1 session serves it without that label$/);
    await world.rpc.call(WorkerService.method.drainWorker, { sessionId: worker.sessionText });
    expect(await why()).toMatch(/of the 1 session that could, 1 is draining$/);
    expect((await ask.constraintOf(jobId, WaitReason.NO_WORKER)).blockers).toMatchObject([
      { jobId: '', sessionId: worker.sessionText },
    ]);
  });
});
