/** SignalService over the wire: jobs that wait for signals and approvals, alone and as steps of workflows. */

import { randomUUID } from 'node:crypto';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type Job, JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import { type SendSignalRequestSchema, SignalService } from '@muster-jobs/sdk/gen/muster/v1/signal_service_pb';
import { SignalWaitSchema, WaitBodySchema } from '@muster-jobs/sdk/gen/muster/v1/wait_pb';
import { TriggerRule, WorkflowBodySchema, type WorkflowStepSchema } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes } from '../base/test-worker.ts';
import { stateName, World } from '../base/world.ts';

const { approveJob, rejectJob, sendSignal } = SignalService.method;
const { cancelJob, explainJob, pauseJob, resumeJob, retryJob, submitJobs, waitJob } = JobService.method;

const json = (value: unknown) => ({
  data: new TextEncoder().encode(JSON.stringify(value)),
  contentType: 'application/json',
});
const resultOf = ({ outcome }: Job): unknown =>
  outcome.case === 'result' ? JSON.parse(new TextDecoder().decode(outcome.value.data)) : undefined;
const failureOf = ({ outcome }: Job) => (outcome.case === 'failure' ? outcome.value : undefined);
const approval = {
  case: 'wait',
  value: create(WaitBodySchema, { kind: { case: 'approval', value: {} } }),
} as const;
const signalOf = (name: string, key = '') => {
  const value = create(SignalWaitSchema, { name, key });
  return { case: 'wait', value: create(WaitBodySchema, { kind: { case: 'signal', value } }) } as const;
};

describe.each(databaseKinds)('signal waits on %s', (kind) => {
  let world: World;
  let names = 0;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  const newName = () => `signal-${++names}`;
  const send = (signal: MessageInitShape<typeof SendSignalRequestSchema>) => world.rpc.call(sendSignal, signal);

  async function waiting(jobId: string): Promise<string> {
    await eventually(`${jobId} waits`, async () => (await world.stateOf(jobId)) === 'WAITING');
    return jobId;
  }

  async function ended(jobId: string): Promise<Job> {
    const { job } = await world.rpc.call(waitJob, { jobId, timeout: { seconds: 30n } });
    if (!job?.endTime) throw new Error(`job ${jobId} has not ended: ${stateName(job?.state ?? 0)}`);
    return job;
  }

  /** A job that waits for the signal, with its key from the input. */
  async function awaiting(name: string, key?: string): Promise<string> {
    const definition = await world.define({ body: signalOf(name, key === undefined ? '' : 'input.order') });
    return waiting(await world.submit(definition, key === undefined ? {} : { input: json({ order: key }) }));
  }

  async function awaitingApproval(): Promise<string> {
    return waiting(await world.submit(await world.define({ body: approval })));
  }

  describe('SendSignal', () => {
    it('ends all jobs that wait for its name and key, and no others', async () => {
      const name = newName();
      const same = await Promise.all([awaiting(name, 'a'), awaiting(name, 'a')]);
      const other = await awaiting(name, 'b');
      const sent = await send({ name, key: 'a', payload: json({ cents: 5 }) });
      expect(sent).toMatchObject({ deliveredCount: 2n, delivering: false, kept: false, repeated: false });
      for (const jobId of same) {
        const job = await ended(jobId);
        expect(stateName(job.state)).toBe('SUCCEEDED');
        expect(resultOf(job)).toEqual({ cents: 5 });
      }
      expect(await world.stateOf(other)).toBe('WAITING');
    });

    it('keeps signals for later waits, the oldest first, each for one wait', async () => {
      const name = newName();
      for (const n of [1, 2]) expect(await send({ name, payload: json(n) })).toMatchObject({ kept: true });
      const definition = await world.define({ body: signalOf(name) });
      expect(resultOf(await ended(await world.submit(definition)))).toBe(1);
      expect(resultOf(await ended(await world.submit(definition)))).toBe(2);
      await waiting(await world.submit(definition));
    });

    it('keeps no signal with keep_for 0, and none for longer than its keep_for', async () => {
      const name = newName();
      expect(await send({ name, keepFor: { seconds: 0n } })).toMatchObject({ kept: false, deliveredCount: 0n });
      expect(await send({ name, keepFor: { nanos: 1_000_000 } })).toMatchObject({ kept: true });
      await awaiting(name);
    });

    it('is idempotent for a repeated id', async () => {
      const name = newName();
      const signal = { name, payload: { ...json(7), metadata: { a: '1', b: '2' } }, requestId: randomUUID() };
      expect(await send(signal)).toMatchObject({ kept: true, repeated: false });
      expect(await send(signal)).toMatchObject({ kept: false, repeated: true });
      await expect(send({ ...signal, key: 'other' })).rejects.toMatchObject({
        code: Code.INVALID_ARGUMENT,
        reason: 'REQUEST_ID_REUSED',
      });
      const definition = await world.define({ body: signalOf(name) });
      expect(resultOf(await ended(await world.submit(definition)))).toBe(7);
      await waiting(await world.submit(definition));
    });

    it('is refused if too many signals are kept, and its id stays free', async () => {
      const name = newName();
      for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 100 }, () => send({ name })));
      const requestId = randomUUID();
      await expect(send({ name, requestId: requestId })).rejects.toMatchObject({
        code: Code.RESOURCE_EXHAUSTED,
        reason: 'SIGNALS_FULL',
      });
      expect(await send({ name, key: 'other' })).toMatchObject({ kept: true });
      const definition = await world.define({ body: signalOf(name) });
      await ended(await world.submit(definition));
      expect(await send({ name, requestId: requestId })).toMatchObject({ kept: true });
    }, 60_000);

    it('ends thousands of jobs, page by page', async () => {
      const name = newName();
      const definition = await world.define({ body: signalOf(name) });
      const jobs = Array.from({ length: 2_500 }, () => ({ definition }));
      const { jobs: submitted } = await world.rpc.call(submitJobs, { jobs });
      for (const { jobId } of [submitted.at(0), submitted.at(-1)].flatMap((one) => one ?? [])) await waiting(jobId);
      await eventually('all wait', async () => {
        const { jobs: left } = await world.rpc.call(JobService.method.listJobs, {
          pageSize: 1,
          filter: { definition, states: [JobState.READY] },
        });
        return left.length === 0;
      });
      expect(await send({ name, payload: json('go') })).toMatchObject({ deliveredCount: 2_500n, delivering: false });
      expect(resultOf(await ended(submitted.at(-1)?.jobId ?? ''))).toBe('go');
    }, 60_000);

    it('keeps its signal for the next wait if the waiting job was cancelled', async () => {
      const name = newName();
      await world.rpc.call(cancelJob, { jobId: await awaiting(name) });
      expect(await send({ name, payload: json(1) })).toMatchObject({ kept: true });
    });

    it('fails jobs whose output schema it does not match', async () => {
      const name = newName();
      const definition = await world.define({ body: signalOf(name), outputJsonSchema: '{"type": "object"}' });
      const jobId = await waiting(await world.submit(definition));
      await send({ name, payload: json(5) });
      expect(failureOf(await ended(jobId))).toMatchObject({ type: 'OutputSchemaViolation' });
      await send({ name, payload: json(5) });
      expect(failureOf(await ended(await world.submit(definition)))).toMatchObject({ type: 'OutputSchemaViolation' });
    });
  });

  describe('ApproveJob and RejectJob', () => {
    it('end a job with the value of the approver', async () => {
      const jobId = await awaitingApproval();
      const requestId = randomUUID();
      const payload = { data: new TextEncoder().encode(' {"limit": 12345678901234567890} '), contentType: '' };
      const call = { jobId, comment: 'fine "so far"', payload, requestId };
      const { job } = await world.rpc.call(approveJob, call);
      expect(job).toMatchObject({ stateReason: 'approved: fine "so far"' });
      const { outcome } = await ended(jobId);
      expect(outcome.case === 'result' && new TextDecoder().decode(outcome.value.data)).toBe(
        '{"approved":true,"comment":"fine \\"so far\\"","payload":{"limit": 12345678901234567890}}',
      );
      expect((await world.rpc.call(approveJob, call)).job?.jobId).toBe(jobId);
      await expect(world.rpc.call(approveJob, { ...call, comment: 'no' })).rejects.toMatchObject({
        reason: 'REQUEST_ID_REUSED',
      });
    });

    it('end a job with a plain record if there is no value', async () => {
      const jobId = await awaitingApproval();
      await world.rpc.call(approveJob, { jobId });
      expect(resultOf(await ended(jobId))).toEqual({ approved: true });
    });

    it('fail a job for good on a rejection', async () => {
      const jobId = await awaitingApproval();
      const requestId = randomUUID();
      const { job } = await world.rpc.call(rejectJob, { jobId, reason: 'too dear', requestId });
      expect(job).toMatchObject({ state: JobState.FAILED, stateReason: 'too dear' });
      expect(failureOf(await ended(jobId))).toMatchObject({
        type: 'Rejected',
        message: 'too dear',
        nonRetryable: true,
      });
      expect((await world.rpc.call(rejectJob, { jobId, reason: 'too dear', requestId })).job?.state).toBe(
        JobState.FAILED,
      );
      // The retry asks for a new decision.
      const again = (await world.rpc.call(retryJob, { jobId })).job?.jobId ?? '';
      await world.rpc.call(approveJob, { jobId: await waiting(again) });
      expect(stateName((await ended(again)).state)).toBe('SUCCEEDED');
    });

    it('count only the first decision', async () => {
      const jobId = await awaitingApproval();
      const words = await Promise.allSettled(
        Array.from({ length: 6 }, (_, i) =>
          i % 2 === 0 ? world.rpc.call(approveJob, { jobId }) : world.rpc.call(rejectJob, { jobId }),
        ),
      );
      expect(words.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it('are refused for a job that does not wait for approval', async () => {
      const refusal = { code: Code.FAILED_PRECONDITION, reason: 'JOB_NOT_AWAITING_APPROVAL' };
      const signal = await awaiting(newName());
      await expect(world.rpc.call(approveJob, { jobId: signal })).rejects.toMatchObject(refusal);
      await expect(world.rpc.call(rejectJob, { jobId: signal })).rejects.toMatchObject(refusal);
      const task = await world.submit(await world.define());
      await expect(world.rpc.call(approveJob, { jobId: task })).rejects.toMatchObject(refusal);
      const definition = await world.define({ body: approval });
      const early = await world.submit(definition, { start: { case: 'delay', value: { seconds: 3_600n } } });
      await expect(world.rpc.call(approveJob, { jobId: early })).rejects.toMatchObject(refusal);
      const over = await awaitingApproval();
      await world.rpc.call(cancelJob, { jobId: over });
      await expect(world.rpc.call(rejectJob, { jobId: over })).rejects.toMatchObject(refusal);
      await expect(world.rpc.call(approveJob, { jobId: randomUUID() })).rejects.toMatchObject({
        reason: 'JOB_NOT_FOUND',
      });
    });

    it('are refused with a result that does not match the output schema, and the job still waits', async () => {
      const outputJsonSchema = '{"type": "object", "required": ["payload"]}';
      const jobId = await waiting(await world.submit(await world.define({ body: approval, outputJsonSchema })));
      await expect(world.rpc.call(approveJob, { jobId })).rejects.toMatchObject({
        code: Code.INVALID_ARGUMENT,
        reason: 'INVALID_FIELD',
      });
      expect(await world.stateOf(jobId)).toBe('WAITING');
      await world.rpc.call(approveJob, { jobId, payload: json(1) });
      expect(resultOf(await ended(jobId))).toEqual({ approved: true, payload: 1 });
    });
  });

  describe('as jobs', () => {
    it('can be cancelled at once', async () => {
      for (const jobId of [await awaiting(newName()), await awaitingApproval()]) {
        await world.rpc.call(cancelJob, { jobId, reason: 'not needed' });
        expect(await world.getJob(jobId)).toMatchObject({ state: JobState.CANCELLED, stateReason: 'not needed' });
      }
    });

    it('wait no longer than their run timeout', async () => {
      const definition = await world.define({ body: approval, runTimeout: { nanos: 100_000_000 } });
      const job = await ended(await world.submit(definition));
      expect(stateName(job.state)).toBe('FAILED');
      expect(failureOf(job)).toMatchObject({ type: 'RunTimeout' });
      const total = await world.define({ body: signalOf(newName()), totalTimeout: { nanos: 100_000_000 } });
      expect(failureOf(await ended(await world.submit(total)))).toMatchObject({ type: 'TotalTimeout' });
    });

    it('can be paused before they wait, stopped by their queue, and delayed', async () => {
      const name = newName();
      const queue = `held-${name}`;
      await world.rpc.call(QueueService.method.createQueue, { queue: { name: queue } });
      await world.rpc.call(QueueService.method.pauseQueue, { name: queue, reason: 'later' });
      const definition = await world.define({ body: signalOf(name), queue });
      const held = await world.submit(definition);
      expect(await send({ name })).toMatchObject({ kept: true });
      expect(await world.stateOf(held)).toBe('READY');
      await world.rpc.call(pauseJob, { jobId: held });
      await world.rpc.call(QueueService.method.resumeQueue, { name: queue });
      expect(await world.stateOf(held)).toBe('PAUSED');
      await world.rpc.call(resumeJob, { jobId: held });
      expect(stateName((await ended(held)).state)).toBe('SUCCEEDED');
      const later = await world.submit(definition, { start: { case: 'delay', value: { seconds: 1n } } });
      expect(await world.stateOf(later)).toBe('SCHEDULED');
      await waiting(later);
    });

    it('are explained', async () => {
      const summary = async (jobId: string) => (await world.rpc.call(explainJob, { jobId })).explanation?.summary ?? '';
      const name = newName();
      expect(await summary(await awaiting(name, 'k-1'))).toContain(`waits for signal ${name} with key k-1.`);
      expect(await summary(await awaiting(name))).toContain(`waits for signal ${name}.`);
      const jobId = await awaitingApproval();
      expect(await summary(jobId)).toContain('waits for approval.');
      await world.rpc.call(approveJob, { jobId });
      expect(await summary(jobId)).toMatch(/ended SUCCEEDED at \S+\.$/);
      const delayed = await world.submit(await world.define({ body: approval }), {
        start: { case: 'delay', value: { seconds: 99n } },
      });
      expect(await summary(delayed)).toContain('SCHEDULED');
    });

    it('are refused if their key has no value', async () => {
      const definition = await world.define({ body: signalOf(newName(), 'input.order') });
      await expect(world.submit(definition, { input: json({}) })).rejects.toMatchObject({
        code: Code.INVALID_ARGUMENT,
        reason: 'INVALID_FIELD',
      });
    });
  });

  describe('in workflows', () => {
    async function run(
      steps: MessageInitShape<typeof WorkflowStepSchema>[],
      output: string,
      input: unknown = {},
    ): Promise<string> {
      const value = create(WorkflowBodySchema, { steps, output });
      return world.submit(await world.define({ body: { case: 'workflow', value } }), { input: json(input) });
    }

    const stepOf = (parentJobId: string) =>
      eventually('the step waits', async () => {
        const filter = { parentJobId, states: [JobState.WAITING] };
        return (await world.rpc.call(JobService.method.listJobs, { filter })).jobs[0]?.jobId;
      });

    it('continue the workflow at a signal, by a key of its input', async () => {
      const name = newName();
      const paid = await world.define({ body: signalOf(name, 'input.order') });
      const input = '{"order": workflow.input.order}';
      const jobId = await run([{ name: 'paid', definition: paid, input }], 'steps.paid.output.cents', { order: 'o-1' });
      await stepOf(jobId);
      expect(await send({ name, key: 'o-1', payload: json({ cents: 9 }) })).toMatchObject({ deliveredCount: 1n });
      expect(resultOf(await ended(jobId))).toBe(9);
    });

    it('end with a kept signal in the transaction that starts them', async () => {
      const name = newName();
      await send({ name, payload: json('early') });
      const first = await world.define({ body: signalOf(name) });
      const second = await world.define({ body: signalOf(name, 'string(input.n)') });
      await send({ name, key: '2', payload: json('second') });
      const steps = [
        { name: 'one', definition: first },
        { name: 'two', definition: second, needs: ['one'], input: '{"n": 2}' },
      ];
      const jobId = await run(steps, '[steps.one.output, steps.two.output]');
      expect(resultOf(await ended(jobId))).toEqual(['early', 'second']);
    });

    it('lead to another step by a trigger rule if an approval comes too late', async () => {
      const sign = await world.define({ body: approval, runTimeout: { nanos: 50_000_000 } });
      const task = await world.define();
      const worker = await world.openWorker(task);
      const steps = [
        { name: 'sign', definition: sign },
        { name: 'buy', definition: task, needs: ['sign'] },
        { name: 'remind', definition: task, needs: ['sign'], triggerRule: TriggerRule.ONE_FAILED },
        { name: 'done', definition: task, needs: ['buy', 'remind'], triggerRule: TriggerRule.ONE_SUCCESS },
      ];
      const jobId = await run(steps, '[steps.sign.state, steps.buy.state]');
      for (let i = 0; i < 2; i++) {
        const [attempt] = await worker.take(1);
        if (attempt) await worker.report({ of: attempt, outcome: outcomes.result() });
      }
      expect(resultOf(await ended(jobId))).toEqual(['FAILED', 'UPSTREAM_FAILED']);
    });

    it('are cancelled with the workflow', async () => {
      const jobId = await run([{ name: 'sign', definition: await world.define({ body: approval }) }], '');
      const step = await stepOf(jobId);
      await world.rpc.call(cancelJob, { jobId });
      expect(stateName((await ended(jobId)).state)).toBe('CANCELLED');
      expect(await world.stateOf(step)).toBe('CANCELLED');
    });
  });
});
