/** Uniqueness as callers see it: one matching job, from whatever caller, at whatever time and place. */

import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { IdempotencyConflictPolicy, JobState, type JobSubmissionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { LimitPolicy } from '@muster-jobs/sdk/gen/muster/v1/limit_pb';
import { DuplicatePolicy, type UniquenessSchema } from '@muster-jobs/sdk/gen/muster/v1/submission_rule_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { runsAll } from '../../../support/run/cases.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { submitJob, submitJobs, cancelJob, retryJob, retryJobs, eraseJob } = JobService.method;
const open = [JobState.BLOCKED, JobState.SCHEDULED, JobState.READY, JobState.ASSIGNED, JobState.RUNNING];
type Rule = MessageInitShape<typeof UniquenessSchema>;
type Submission = MessageInitShape<typeof JobSubmissionSchema>;

let world: World;

const json = (value: unknown, contentType = 'application/json') => ({
  data: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  contentType,
});
const define = (uniqueness: Rule, changes: object = {}) => world.define({ uniqueness, ...changes });
const submit = (definition: string, changes: Submission = {}) =>
  world.rpc.call(submitJob, { job: { definition, ...changes } });
const refused = (definition: string, changes: Submission = {}) =>
  world.rpc.refused(submitJob, { job: { definition, ...changes } });

async function runTo(definition: string, outcome: ReturnType<typeof outcomes.result>): Promise<void> {
  const worker = await world.openWorker(definition);
  const [of] = await worker.take(1);
  await worker.report({ of: of as Assignment, outcome });
  await worker.disconnect();
}

describe.each(databaseKinds)('uniqueness on %s', (kind) => {
  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  it('answers a duplicate with the existing job, also for many at once', async () => {
    const definition = await define({ byInput: true });
    const answers = await Promise.all(Array.from({ length: 20 }, () => submit(definition, { input: json({ a: 1 }) })));
    expect(new Set(answers.map(({ jobId }) => jobId)).size).toBe(1);
    expect(answers.filter(({ existing }) => !existing)).toHaveLength(1);
    expect((await submit(definition, { input: json({ a: 2 }) })).existing).toBe(false);
  });

  it('refuses a duplicate if the policy says so, and names the existing job', async () => {
    const definition = await define({ byInput: true, duplicatePolicy: DuplicatePolicy.REJECT });
    const { jobId } = await submit(definition, { input: json(1) });
    const refusal = await refused(definition, { input: json(1) });
    expect(refusal).toMatchObject({ code: Code.ALREADY_EXISTS, reason: 'DUPLICATE_JOB' });
    expect(refusal.message).toContain(jobId);
    expect(refusal.info?.metadata).toEqual({ job_id: jobId });
  });

  it('without parts in the key allows one job of a definition, in any version', async () => {
    const name = await define({});
    const { jobId } = await submit(name, { input: json(1) });
    await define({ byQueue: false }, { name, description: 'another version' });
    expect(await submit(name, { input: json(2) })).toMatchObject({ jobId, existing: true });
    const other = await define({});
    expect((await submit(other)).existing).toBe(false);
  });

  it('compares only the named parts of the input', async () => {
    const definition = await define({ fields: ['order.id', 'kind'] });
    const input = (id: unknown, extra: unknown, kind = 'a') => ({ input: json({ kind, order: { id, extra } }) });
    const { jobId } = await submit(definition, input(7, 'x'));
    expect(await submit(definition, input(7, 'y'))).toMatchObject({ jobId, existing: true });
    for (const other of [input(8, 'x'), input('7', 'x'), input(7, 'x', 'b'), input(null, 'x')])
      expect((await submit(definition, other)).existing).toBe(false);
  });

  it('refuses an input without those parts, and stores nothing of the call', async () => {
    const definition = await define({ fields: ['order.id'] });
    for (const input of [json({ order: {} }), json({ order: [] }), json('no json'), undefined]) {
      const refusal = await refused(definition, input ? { input } : {});
      expect(refusal).toMatchObject({ code: Code.INVALID_ARGUMENT, reason: 'INVALID_FIELD' });
      expect(refusal.fields).toEqual(['job.input']);
      expect(refusal.message).toContain('"order.id"');
    }
    const jobs = [
      { definition, input: json({ order: { id: 1 } }) },
      { definition, input: json({}) },
    ];
    const refusal = await world.rpc.refused(submitJobs, { jobs });
    expect(refusal.fields).toEqual(['jobs[1].input']);
    expect((await submit(definition, { input: json({ order: { id: 1 } }) })).existing).toBe(false);
  });

  it('has the queue in the key if configured', async () => {
    const definition = await define({ byQueue: true });
    const { jobId } = await submit(definition);
    expect(await submit(definition, { queue: 'default' })).toMatchObject({ jobId, existing: true });
    expect((await submit(definition, { queue: 'other' })).existing).toBe(false);
  });

  it('accepts the next job when the first has ended in a state that does not block', async () => {
    const definition = await define({}, { retryPolicy: { maxAttempts: 1 } });
    const first = await submit(definition);
    await runTo(definition, outcomes.failure());
    const second = await submit(definition);
    expect(second.existing).toBe(false);
    await world.rpc.call(cancelJob, { jobId: second.jobId });
    const third = await submit(definition);
    expect(third.existing).toBe(false);
    expect(new Set([first, second, third].map(({ jobId }) => jobId)).size).toBe(3);
    await runTo(definition, outcomes.result());
    expect(await world.stateOf(third.jobId)).toBe('SUCCEEDED');
    expect(await submit(definition)).toMatchObject({ jobId: third.jobId, existing: true });
  });

  it('accepts the next job after a success if SUCCEEDED is left out, and one of many at once', async () => {
    const definition = await define({ states: open });
    await submit(definition);
    await runTo(definition, outcomes.result());
    const answers = await Promise.all(Array.from({ length: 20 }, () => submit(definition)));
    expect(answers.filter(({ existing }) => !existing)).toHaveLength(1);
    expect(new Set(answers.map(({ jobId }) => jobId)).size).toBe(1);
  });

  it('answers the second of two in one call with the first, and refuses the call if the policy says so', async () => {
    const definition = await define({ byInput: true });
    const twice = [1, 2, 1, 2, 3].map((value) => ({ definition, input: json(value) }));
    const { jobs } = await world.rpc.call(submitJobs, { jobs: twice });
    expect(jobs.map(({ existing }) => existing)).toEqual([false, false, true, true, false]);
    expect([jobs[2]?.jobId, jobs[3]?.jobId]).toEqual([jobs[0]?.jobId, jobs[1]?.jobId]);
    const again = await world.rpc.call(submitJobs, { jobs: twice });
    expect(again.jobs.map(({ jobId }) => jobId)).toEqual(jobs.map(({ jobId }) => jobId));
    expect(again.jobs.every(({ existing }) => existing)).toBe(true);
    const strict = await define({ byInput: true, duplicatePolicy: DuplicatePolicy.REJECT });
    const refusal = await world.rpc.refused(submitJobs, { jobs: twice.map((job) => ({ ...job, definition: strict })) });
    expect(refusal).toMatchObject({ code: Code.ALREADY_EXISTS, reason: 'DUPLICATE_JOB' });
    expect(refusal.message).toContain('jobs[2]');
    expect((await submit(strict, { input: json(1) })).existing).toBe(false);
  });

  it.runIf(runsAll)('stores thousands in one call, each once', async () => {
    const definition = await define({ byInput: true });
    const jobs = Array.from({ length: 3_000 }, (_, i) => ({ definition, input: json(i % 1_500) }));
    const answer = await world.rpc.call(submitJobs, { jobs });
    expect(answer.jobs.filter(({ existing }) => !existing)).toHaveLength(1_500);
    expect(new Set(answer.jobs.map(({ jobId }) => jobId)).size).toBe(1_500);
  });

  it('works with a request id: a repeat gets the same answer, also for a duplicate', async () => {
    const definition = await define({});
    const first = await submit(definition);
    const request = { requestId: randomUUID(), job: { definition } };
    expect(await world.rpc.call(submitJob, request)).toMatchObject({ jobId: first.jobId, existing: true });
    await world.rpc.call(cancelJob, { jobId: first.jobId });
    expect(await world.rpc.call(submitJob, request)).toMatchObject({ jobId: first.jobId, existing: true });
    expect((await submit(definition)).existing).toBe(false);
  });

  it('works with an idempotency key, which then belongs to the existing job', async () => {
    const definition = await define({});
    const first = await submit(definition);
    const keyed = { idempotencyKey: `${definition}-key` };
    expect(await submit(definition, keyed)).toMatchObject({ jobId: first.jobId, existing: true });
    await world.rpc.call(cancelJob, { jobId: first.jobId });
    expect(await submit(definition, keyed)).toMatchObject({ jobId: first.jobId, existing: true });
    const second = await submit(definition, { idempotencyKey: `${definition}-other` });
    expect(second.existing).toBe(false);
    // A refusal frees the idempotency key.
    const strict = await define({ duplicatePolicy: DuplicatePolicy.REJECT });
    const { jobId } = await submit(strict);
    const wanted = { idempotencyKey: `${strict}-key` };
    expect((await refused(strict, wanted)).reason).toBe('DUPLICATE_JOB');
    await world.rpc.call(cancelJob, { jobId });
    expect((await submit(strict, wanted)).existing).toBe(false);
  });

  it('ignores the job that an idempotency key replaces', async () => {
    const definition = await define({});
    const worker = await world.openWorker(definition);
    const replace = {
      idempotencyKey: `${definition}-key`,
      idempotencyConflictPolicy: IdempotencyConflictPolicy.REPLACE,
    };
    const first = await submit(definition, replace);
    await worker.take(1);
    const second = await submit(definition, { ...replace, labels: { try: '2' } });
    expect(second.existing).toBe(false);
    expect(await world.stateOf(first.jobId)).toBe('CANCELLING');
    expect(await submit(definition)).toMatchObject({ jobId: second.jobId, existing: true });
    await worker.disconnect();
  });

  it('applies to manual retries, without the job that is retried', async () => {
    const definition = await define({}, { retryPolicy: { maxAttempts: 1 } });
    const first = await submit(definition);
    await runTo(definition, outcomes.failure());
    const second = await submit(definition);
    const refusal = await world.rpc.refused(retryJob, { jobId: first.jobId });
    expect(refusal).toMatchObject({ code: Code.ALREADY_EXISTS, reason: 'DUPLICATE_JOB' });
    expect(refusal.info?.metadata).toEqual({ job_id: second.jobId });
    const redriven = await world.rpc.call(retryJobs, { filter: { definition } });
    expect(redriven.jobIds).toEqual([]);
    await runTo(definition, outcomes.result());
    const { job } = await world.rpc.call(retryJob, { jobId: second.jobId });
    expect(job).toMatchObject({ retryOf: second.jobId });
    expect(await submit(definition)).toMatchObject({ jobId: job?.jobId, existing: true });
  });

  it('comes before a key limit, which counts only real jobs, and a refusal by the limit leaves no key', async () => {
    const keyLimit = { key: '"all"', maxConcurrency: 1, policy: LimitPolicy.REJECT_NEW };
    const definition = await define({ byInput: true }, { keyLimit });
    const { jobId } = await submit(definition, { input: json(1) });
    expect(await submit(definition, { input: json(1) })).toMatchObject({ jobId, existing: true });
    expect((await refused(definition, { input: json(2) })).reason).toBe('LIMIT_REACHED');
    await world.rpc.call(cancelJob, { jobId });
    expect((await submit(definition, { input: json(2) })).existing).toBe(false);
  });

  it('accepts the next job after the blocking one is erased', async () => {
    const definition = await define({});
    const { jobId } = await submit(definition);
    await runTo(definition, outcomes.result());
    expect((await submit(definition)).existing).toBe(true);
    await world.rpc.call(eraseJob, { jobId, reason: 'asked for' });
    expect((await submit(definition)).existing).toBe(false);
  });

  it('is returned with the definition as it was written, with its defaults', async () => {
    const name = await define({ fields: ['b', 'a'], period: { seconds: 60n } });
    const { definition } = await world.rpc.call(JobDefinitionService.method.getJobDefinition, { name });
    expect(definition?.uniqueness).toMatchObject({
      byInput: false,
      fields: ['b', 'a'],
      period: { seconds: 60n, nanos: 0 },
      byQueue: false,
      states: [1, 2, 3, 4, 5, 6, 7, 8, 9],
      duplicatePolicy: DuplicatePolicy.USE_EXISTING,
    });
  });
});
