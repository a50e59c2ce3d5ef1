/** Explanations over the wire: the queue position, an estimate of the start, the blocker of a job, its end. */

import { timestampMs } from '@bufbuild/protobuf/wkt';
import { JobState, WaitReason } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { offerOf, outcomes, type TestWorker } from '../base/test-worker.ts';
import { World } from '../base/world.ts';
import { Explaining, idsOf } from './explaining.ts';

const { cancelJob } = JobService.method;
const [done, failed] = [outcomes.result('done'), outcomes.failure()];

describe.each(databaseKinds)('explanations of a queue position on %s', (kind) => {
  let world: World;
  let ask: Explaining;

  beforeAll(async () => {
    world = await World.startOn(kind);
    ask = new Explaining(world);
  });

  afterAll(() => world?.stop());

  it('list the jobs before one, among those that the same workers serve', async () => {
    const { definition, queue } = await ask.define();
    const [own, other] = [await world.define({ queue }), await world.define({ queue })];
    const worker = await world.openWorkerOf({ ...offerOf(definition, own), slots: 1 });
    await world.openWorker(other);
    const running = await world.submit(definition);
    await worker.take(1);
    const next = await world.submit(own);
    expect(await ask.constraintOf(next, WaitReason.IN_LINE)).toMatchObject({
      message: 'it is next, and the one session that could take it has no free slot',
      blockers: [{ jobId: '', sessionId: worker.sessionText }],
    });
    await ask.submitMany(other, 3);
    const last = await world.submit(definition);
    const explanation = await ask.explain(last);
    expect(explanation).toMatchObject({ position: 2, positionIsLowerBound: false });
    expect(await ask.constraintOf(last, WaitReason.IN_LINE)).toMatchObject({
      blockerCount: 1n,
      blockers: [{ jobId: next }],
    });
    expect((await ask.explain(running)).constraints).toEqual([]);
  });

  it('count up to 1,000 jobs, and say if there are more', async () => {
    const { definition } = await ask.define();
    const jobIds = await ask.submitMany(definition, 1_005);
    const at = async (index: number) => {
      const { position: place, positionIsLowerBound } = await ask.explain(jobIds[index] as string);
      return [place, positionIsLowerBound];
    };
    expect(await at(0)).toEqual([1, false]);
    expect(await at(999)).toEqual([1_000, false]);
    expect(await at(1_000)).toEqual([1_001, true]);
    expect(await at(1_004)).toEqual([1_001, true]);
  });

  it('estimate the start from recent starts, and give none without them', async () => {
    const { definition } = await ask.define();
    const worker = await world.openWorkerOf({ ...offerOf(definition), slots: 3 });
    const first = await world.submit(definition);
    const blind = (await ask.explain(first)).startEstimate;
    expect(blind).toMatchObject({ startCount: 0n });
    expect([blind?.earliestTime, blind?.latestTime]).toEqual([undefined, undefined]);
    expect(blind?.basis).toMatch(/^when it starts is not known: none of the jobs .* was started in the last \d+ s$/);
    await ask.submitMany(definition, 2);
    const attempts = await worker.take(3);
    await worker.report(...attempts.slice(0, 1).map((of) => ({ of, outcome: done })));
    const [, , last = ''] = await ask.submitMany(definition, 3);
    const { startEstimate, position: place } = await ask.explain(last);
    expect([place, startEstimate?.startCount]).toEqual([3, 3n]);
    const [earliest, latest] = [startEstimate?.earliestTime, startEstimate?.latestTime].map((time) =>
      time ? timestampMs(time) : Number.NaN,
    ) as [number, number];
    expect(earliest).toBeGreaterThan(Date.now() - 60_000);
    expect(latest).toBeGreaterThan(earliest);
    expect(Number(startEstimate?.window?.seconds)).toBeGreaterThanOrEqual(60);
  });

  it('show for an assigned job its worker, the time and the progress', async () => {
    const { definition } = await ask.define();
    const [worker, [of]] = await ask.hold(definition, 1);
    const [jobId = ''] = idsOf([of as Assignment]);
    const assigned = await ask.explain(jobId);
    expect(assigned).toMatchObject({ state: JobState.ASSIGNED, constraints: [], position: 0 });
    expect(assigned.startEstimate).toBeUndefined();
    expect(assigned.running).toMatchObject({ attempt: 1, sessionId: worker.sessionText, workerName: 'test-worker' });
    const { jobId: id, attempt } = of as Assignment;
    const progress = { fraction: 0.5, message: 'halfway' };
    await worker.beat({
      heldAttempts: [{ jobId: id, attempt, started: true }],
      progress: [{ jobId: id, attempt, sequence: 1n, progress }],
    });
    const running = await eventually('it is seen running', async () => {
      const now = await ask.explain(jobId);
      return now.state === JobState.RUNNING && now.running?.progress && now;
    });
    expect(running.running).toMatchObject({ progress });
    expect(running.running?.beatTime).toBeDefined();
    expect(running.stateTime).toEqual(running.running?.assignTime);
    expect(running.summary).toMatch(/is run by test-worker .* 50 % done: halfway\.$/);
    await world.rpc.call(cancelJob, { jobId, reason: 'ordered by mistake' });
    expect((await ask.explain(jobId)).summary).toMatch(/was asked to stop at .* The cancel says: ordered by mistake\./);
  });

  it('show for an ended job its state, the time and the reason', async () => {
    const { definition } = await ask.define({ retryPolicy: { maxAttempts: 1 } });
    const [worker, [good, bad]] = (await ask.hold(definition, 2)) as [TestWorker, [Assignment, Assignment]];
    await worker.report({ of: good, outcome: done }, { of: bad, outcome: failed });
    const [goodId = '', badId = ''] = idsOf([good, bad]);
    const succeeded = await ask.explain(goodId);
    expect(succeeded.summary).toMatch(/ended SUCCEEDED at .*, in attempt 1 at worker test-worker\.$/);
    expect(succeeded.stateTime).toEqual((await world.getJob(goodId)).endTime);
    expect((await ask.explain(badId)).summary).toMatch(/ended FAILED at .*, in attempt 1 .*: ValueError: no\.$/);
    const never = await world.submit(definition);
    await world.rpc.call(cancelJob, { jobId: never });
    const cancelled = await ask.explain(never);
    expect(cancelled.summary).toMatch(/ended CANCELLED at .*, before any attempt/);
    expect([cancelled.constraints, cancelled.running, cancelled.startEstimate]).toEqual([[], undefined, undefined]);
  });

  it('are the same on the HTTP port', async () => {
    const { definition } = await ask.define();
    const jobId = await world.submit(definition);
    const url = new URL('/muster.v1.JobService/ExplainJob', world.replica.httpAddress);
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ jobId }) });
    expect(await answer.json()).toMatchObject({
      explanation: { jobId, position: 1, constraints: [{ reason: 'WAIT_REASON_NO_WORKER' }] },
    });
  });
});
