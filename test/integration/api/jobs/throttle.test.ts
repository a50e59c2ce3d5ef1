/** Throttle as callers see it: one job per period, and the answers to the other submissions. */

import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { DuplicatePolicy, type ThrottleSchema } from '@muster-jobs/sdk/gen/muster/v1/submission_rule_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { World } from '../base/world.ts';

const { submitJob, submitJobs, cancelJob, retryJob } = JobService.method;
const hour = { seconds: 3_600n };

let world: World;

const define = (throttle: MessageInitShape<typeof ThrottleSchema>) => world.define({ throttle });
const input = (value: unknown) => ({ data: Buffer.from(JSON.stringify(value)), contentType: '' });
const submit = (definition: string, value?: unknown) =>
  world.rpc.call(submitJob, { job: { definition, ...(value === undefined ? {} : { input: input(value) }) } });

async function madeMs(jobId: string): Promise<number> {
  const { createTime } = await world.getJob(jobId);
  if (!createTime) throw new Error('a job has a time of creation');
  return timestampMs(createTime);
}

describe.each(databaseKinds)('throttle on %s', (kind) => {
  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  it('accepts one job of many, and answers the others with it, whatever its state', async () => {
    const definition = await define({ period: hour });
    const answers = await Promise.all(Array.from({ length: 20 }, () => submit(definition)));
    expect(answers.filter(({ existing }) => !existing)).toHaveLength(1);
    expect(new Set(answers.map(({ jobId }) => jobId)).size).toBe(1);
    const jobId = answers[0]?.jobId as string;
    await world.rpc.call(cancelJob, { jobId });
    expect(await submit(definition)).toMatchObject({ jobId, existing: true });
  });

  it('accepts the next one when the period is over, from the creation of the last', async () => {
    const definition = await define({ period: { seconds: 1n } });
    const made = [(await submit(definition)).jobId];
    await eventually('two more are taken', async () => {
      const { jobId, existing } = await submit(definition);
      if (!existing) made.push(jobId);
      else expect(jobId).toBe(made.at(-1));
      return made.length === 3;
    });
    const [one, two, three] = await Promise.all(made.map(madeMs));
    expect((two as number) - (one as number)).toBeGreaterThanOrEqual(1_000);
    expect((three as number) - (two as number)).toBeGreaterThanOrEqual(1_000);
  });

  it('refuses if the policy says so, with the time of the next', async () => {
    const definition = await define({ period: { seconds: 60n }, duplicatePolicy: DuplicatePolicy.REJECT });
    const { jobId } = await submit(definition);
    const refusal = await world.rpc.refused(submitJob, { job: { definition } });
    expect(refusal).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'THROTTLED' });
    expect(refusal.info?.metadata).toEqual({ job_id: jobId });
    expect(refusal.retryDelayMs).toBeGreaterThan(30_000);
    expect(refusal.retryDelayMs).toBeLessThanOrEqual(60_000);
    const within = await define({ period: hour, duplicatePolicy: DuplicatePolicy.REJECT });
    const jobs = [{ definition: within }, { definition: within }];
    const second = await world.rpc.refused(submitJobs, { jobs });
    expect(second).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'THROTTLED', retryDelayMs: 3_600_000 });
    expect(second.message).toContain('jobs[1]');
    expect((await submit(within)).existing).toBe(false);
  });

  it('compares the named parts of the input, and answers the second job in a call with the first', async () => {
    const definition = await define({ period: hour, fields: ['to'] });
    const values = [{ to: 'a' }, { to: 'b' }, { to: 'a', n: 2 }];
    const jobs = values.map((value) => ({ definition, input: input(value) }));
    const answer = (await world.rpc.call(submitJobs, { jobs })).jobs;
    expect(answer.map(({ existing }) => existing)).toEqual([false, false, true]);
    expect(answer[2]?.jobId).toBe(answer[0]?.jobId);
    expect(await submit(definition, { to: 'b' })).toMatchObject({ jobId: answer[1]?.jobId, existing: true });
  });

  it('applies the period of the newest version', async () => {
    const name = await define({ period: hour });
    const { jobId } = await submit(name);
    await world.define({ name, throttle: { period: { seconds: 1n } } });
    const next = await eventually('the shorter period is over', async () => {
      const answer = await submit(name);
      return !answer.existing && answer;
    });
    expect(next.jobId).not.toBe(jobId);
  });

  it('does not apply to manual retries and to repeats of a call', async () => {
    const definition = await define({ period: hour, duplicatePolicy: DuplicatePolicy.REJECT });
    const request = { requestId: randomUUID(), job: { definition, idempotencyKey: `${definition}-key` } };
    const { jobId } = await world.rpc.call(submitJob, request);
    expect(await world.rpc.call(submitJob, request)).toMatchObject({ jobId, existing: true });
    expect(await world.rpc.call(submitJob, { job: request.job })).toMatchObject({ jobId, existing: true });
    await world.rpc.call(cancelJob, { jobId });
    expect((await world.rpc.call(retryJob, { jobId })).job).toMatchObject({ retryOf: jobId });
  });
});
