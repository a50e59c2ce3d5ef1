/** Triggers over the wire: the job and its exact input for each thing that a trigger may be about. */
import { create } from '@bufbuild/protobuf';
import { BatchService } from '@muster-jobs/sdk/gen/muster/v1/batch_service_pb';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { OverlapPolicy, ScheduleRunState, ScheduleSkipReason } from '@muster-jobs/sdk/gen/muster/v1/schedule_pb';
import { ScheduleService } from '@muster-jobs/sdk/gen/muster/v1/schedule_service_pb';
import { SignalService } from '@muster-jobs/sdk/gen/muster/v1/signal_service_pb';
import { WorkflowBodySchema } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';
import {
  allOf,
  at,
  endNext,
  inputText,
  json,
  onAsset,
  onJob,
  only,
  onSchedule,
  onSignal,
  span,
  TIME,
  Triggering,
} from './triggering.ts';

const { applySchedule, listScheduleRuns, triggerSchedule } = ScheduleService.method;
const { sendSignal } = SignalService.method;
const { cancelJob, submitJob, waitJob } = JobService.method;
const once = { retryPolicy: { maxAttempts: 1 } };

describe.each(databaseKinds)('the job of a trigger on %s', (kind) => {
  let world: World;
  let triggering: Triggering;

  beforeAll(async () => {
    world = await World.startOn(kind);
    triggering = new Triggering(world);
  });

  afterAll(() => world?.stop());

  const cancel = (jobId: string) => world.rpc.call(cancelJob, { jobId });

  describe('on a signal', () => {
    it('has the settings of the trigger, its label, and the signal as input', async () => {
      const definition = await world.define();
      const signal = triggering.newName('signal');
      const name = await triggering.on(onSignal(signal), {
        job: { definition, priority: 7, labels: { team: 'a' } },
      });
      expect(await triggering.send(signal, '{"b": 1.50,"a":[ ]}', 'order 7')).toMatchObject({
        triggerCount: 1n,
        deliveredCount: 0n,
        kept: false,
      });
      const { run, job, input } = await triggering.onlyRun(name);
      const time = only(input.causes).time;
      expect(time).toMatch(TIME);
      const head = `{"trigger":"${name}","key":"","causes":[{"condition":0,"count":1,"kind":"signal","name":"${signal}"`;
      expect(inputText(job)).toBe(`${head},"time":"${time}","key":"order 7","payload":{"b": 1.50,"a":[ ]}}]}`);
      expect(job).toMatchObject({
        definition,
        priority: 7,
        labels: { team: 'a', 'muster/trigger': name },
        input: { contentType: 'application/json' },
      });
      expect(run).toMatchObject({ key: '', state: ScheduleRunState.STARTED, jobId: job.jobId, message: '' });
      expect(at(run.time)).toBe(time);
      expect(run.decideTime).toBeDefined();
      await eventually('the job is counted', async () => (await triggering.get(name)).jobCount === 1n);
    });

    it('has numbers of the payload exactly as they were sent', async () => {
      const signal = triggering.newName('signal');
      const name = await triggering.on(onSignal(signal, { filter: 'cause.payload.n > 1' }));
      const payload = '{"n":9007199254740993,"f":0.1000000000000000055,"e":1E400}';
      await triggering.send(signal, payload);
      const { job } = await triggering.onlyRun(name);
      expect(inputText(job)).toContain(`"payload":${payload}}`);
    });

    it.each([
      ['text', 'text/plain', 'hello'],
      ['JSON of another content type', 'text/plain', '{}'],
      ['broken JSON', 'application/json', '{'],
      ['no UTF-8', 'application/json', Uint8Array.from([0x22, 0xff, 0x22])],
      ['no payload', '', ''],
    ])('has null for a payload that is no JSON: %s', async (_what, contentType, data) => {
      const signal = triggering.newName('signal');
      const filter = 'cause.payload == null';
      const name = await triggering.on(onSignal(signal, { filter }));
      await world.rpc.call(sendSignal, { name: signal, payload: { data: Buffer.from(data), contentType } });
      expect(only((await triggering.onlyRun(name)).input.causes)).toMatchObject({ name: signal, payload: null });
    });

    it('has JSON without a content type as its payload', async () => {
      const signal = triggering.newName('signal');
      const name = await triggering.on(onSignal(signal));
      await world.rpc.call(sendSignal, { name: signal, payload: { data: Buffer.from('[1]'), contentType: '' } });
      expect(only((await triggering.onlyRun(name)).input.causes).payload).toEqual([1]);
    });
  });

  it('on an asset has its version and its job as input', async () => {
    const asset = triggering.newName('asset');
    const publisher = await world.define({ publishes: [asset], ...once });
    const worker = await world.openWorker(publisher);
    const name = await triggering.on(onAsset(asset));
    await world.submit(publisher);
    await endNext(worker, outcomes.failure());
    const jobIds: string[] = [];
    for (let n = 0; n < 2; n++) {
      jobIds.push(await world.submit(publisher));
      await endNext(worker);
    }
    const inputs = await triggering.inputs(name, 2);
    expect(inputs).toEqual(
      jobIds.map((jobId, i) => ({
        trigger: name,
        key: '',
        causes: [
          {
            condition: 0,
            count: 1,
            kind: 'asset',
            name: asset,
            time: expect.stringMatching(TIME),
            version: i + 1,
            job_id: jobId,
          },
        ],
      })),
    );
  });

  describe('on the end of a job', () => {
    interface Ending {
      readonly state: string;
      readonly end: (definition: string) => Promise<string>;
    }

    async function run(definition: string, outcome = outcomes.result()): Promise<string> {
      const worker = await world.openWorker(definition);
      const jobId = await world.submit(definition, { labels: { order: '7' } });
      await endNext(worker, outcome);
      return jobId;
    }

    const labels = { order: '7' };
    const endings: readonly Ending[] = [
      { state: 'SUCCEEDED', end: (definition) => run(definition) },
      { state: 'FAILED', end: (definition) => run(definition, outcomes.failure()) },
      {
        state: 'CANCELLED',
        end: async (definition) => {
          const jobId = await world.submit(definition, { labels });
          await cancel(jobId);
          return jobId;
        },
      },
      { state: 'EXPIRED', end: (definition) => world.submit(definition, { labels, expireTime: { seconds: 1n } }) },
      {
        state: 'SKIPPED',
        end: async (definition) => {
          const jobId = await world.submit(await world.define());
          const on = { case: 'jobId', value: jobId } as const;
          const skipped = await world.submit(definition, { labels, dependsOn: [{ on }] });
          await cancel(jobId);
          return skipped;
        },
      },
    ];

    it.each(endings)('has the job, its labels and its state as input: $state', async ({ state, end }) => {
      const definition = await world.define(once);
      const wanted = JobState[state as keyof typeof JobState];
      const name = await triggering.on(onJob(definition, [wanted], { filter: 'cause.labels.order == "7"' }));
      const others = endings.filter((one) => one.state !== state).map((one) => JobState[one.state as 'FAILED']);
      const other = await triggering.on(onJob(definition, others));
      const jobId = await end(definition);
      await world.rpc.call(waitJob, { jobId, timeout: { seconds: 30n } });
      const { input } = await triggering.onlyRun(name);
      const { endTime } = await world.getJob(jobId);
      expect(input).toEqual({
        trigger: name,
        key: '',
        causes: [
          { condition: 0, count: 1, kind: 'job', name: definition, time: at(endTime), job_id: jobId, state, labels },
        ],
      });
      // The states of the other trigger do not include this one: its job is of a later end.
      const later = endings.find((one) => one.state !== state && one.state !== 'SKIPPED') as Ending;
      const laterId = await later.end(definition);
      expect(only((await triggering.onlyRun(other)).input.causes)).toMatchObject({ job_id: laterId });
    });

    it('without states is on its success alone', async () => {
      const definition = await world.define(once);
      const name = await triggering.on(onJob(definition));
      await run(definition, outcomes.failure());
      const worker = await world.openWorker(definition);
      await cancel(await world.submit(definition));
      const jobId = await world.submit(definition);
      await endNext(worker);
      expect(only((await triggering.onlyRun(name)).input.causes)).toMatchObject({ job_id: jobId, state: 'SUCCEEDED' });
    });

    it('is not on the end of an attempt that is retried', async () => {
      const definition = await world.define({ retryPolicy: { maxAttempts: 2, minBackoff: span(1) } });
      const worker = await world.openWorker(definition);
      const name = await triggering.on(onJob(definition, [JobState.FAILED, JobState.SUCCEEDED]));
      const jobId = await world.submit(definition);
      await endNext(worker, outcomes.failure());
      await endNext(worker);
      expect(only((await triggering.onlyRun(name)).input.causes)).toMatchObject({ job_id: jobId, state: 'SUCCEEDED' });
    });

    it('counts steps of workflows, and the workflow itself', async () => {
      const definition = await world.define(once);
      const worker = await world.openWorker(definition);
      const value = create(WorkflowBodySchema, { steps: [{ name: 'alone', definition }] });
      const flow = await world.define({ body: { case: 'workflow', value } });
      const [ofStep, ofFlow] = [await triggering.on(onJob(definition)), await triggering.on(onJob(flow))];
      const jobId = await world.submit(flow);
      // The value of a step is JSON.
      const { jobId: stepId } = await endNext(worker, { case: 'result', value: json('1') });
      await world.rpc.call(waitJob, { jobId, timeout: { seconds: 30n } });
      expect(await world.stateOf(jobId)).toBe('SUCCEEDED');
      const step = only((await triggering.onlyRun(ofStep)).input.causes);
      expect(Buffer.from(stepId).toString('hex')).toBe(step.job_id?.replaceAll('-', ''));
      expect(only((await triggering.onlyRun(ofFlow)).input.causes)).toMatchObject({ name: flow, job_id: jobId });
    });

    it('counts members of a batch', async () => {
      const definition = await world.define();
      const worker = await world.openWorker(definition);
      const name = await triggering.on(onJob(definition));
      const { batch } = await world.rpc.call(BatchService.method.createBatch, {});
      const batchJobId = batch?.job?.jobId ?? '';
      const { jobId } = await world.rpc.call(submitJob, { job: { definition }, batchJobId });
      await endNext(worker);
      expect(only((await triggering.onlyRun(name)).input.causes)).toMatchObject({ job_id: jobId });
    });

    it('does not count clean-up jobs', async () => {
      const cleaner = triggering.newName('cleaner');
      const body = { case: 'task', value: { cleanupHandler: cleaner } } as const;
      const { worker, jobId, attempt } = await world.hold({ body });
      const { definition } = await world.getJob(jobId);
      const name = await triggering.on(onJob(definition));
      await cancel(jobId);
      await worker.report({ of: attempt, outcome: outcomes.cancelled });
      await endNext(await world.openWorker(cleaner));
      const { cleanupJobId } = await world.getJob(jobId);
      expect(await world.stateOf(cleanupJobId)).toBe('SUCCEEDED');
      const later = await world.submit(definition);
      await endNext(worker);
      expect(only((await triggering.onlyRun(name)).input.causes)).toMatchObject({ job_id: later });
    });

    it('leads from trigger to trigger', async () => {
      const [first, second] = [await world.define(), await world.define()];
      const worker = await world.openWorker(first);
      const signal = triggering.newName('signal');
      const one = await triggering.on(onSignal(signal), { job: { definition: first } });
      const filter = `cause.labels['muster/trigger'] == '${one}'`;
      const two = await triggering.on(onJob(first, [], { filter }), { job: { definition: second } });
      await triggering.send(signal);
      await endNext(worker);
      const { job } = await triggering.onlyRun(two);
      expect(job).toMatchObject({ definition: second, labels: { 'muster/trigger': two } });
    });
  });

  it('on a run of a schedule has its time as input, and is not on skipped times', async () => {
    const definition = await world.define();
    const schedule = { name: triggering.newName('schedule'), times: { crons: ['0 0 1 1 *'] }, job: { definition } };
    await world.rpc.call(applySchedule, { schedule });
    const name = await triggering.on(onSchedule(schedule.name));
    const first = await world.rpc.call(triggerSchedule, { name: schedule.name });
    const skipped = await world.rpc.call(triggerSchedule, { name: schedule.name, overlapPolicy: OverlapPolicy.SKIP });
    expect(skipped.run?.state).toBe(ScheduleRunState.SKIPPED);
    const overlapPolicy = OverlapPolicy.ALLOW_ALL;
    const third = await world.rpc.call(triggerSchedule, { name: schedule.name, overlapPolicy });
    const inputs = await triggering.inputs(name, 2);
    expect(inputs).toEqual(
      [first, third].map(({ run }) => ({
        trigger: name,
        key: '',
        causes: [
          {
            condition: 0,
            count: 1,
            kind: 'schedule',
            name: schedule.name,
            time: expect.stringMatching(TIME),
            nominal_time: at(run?.nominalTime),
          },
        ],
      })),
    );
    const { runs } = await world.rpc.call(listScheduleRuns, { name: schedule.name });
    expect(runs).toHaveLength(3);
  });

  it('on causes of several kinds has them oldest first', async () => {
    const definition = await world.define();
    const worker = await world.openWorker(definition);
    const signal = triggering.newName('signal');
    const name = await triggering.on(allOf([onSignal(signal), onJob(definition)]));
    await world.submit(definition);
    await endNext(worker);
    await triggering.send(signal, [1], 'k');
    const { input } = await triggering.onlyRun(name);
    expect(input.causes).toMatchObject([
      { kind: 'job', condition: 1 },
      { kind: 'signal', condition: 0, key: 'k', payload: [1] },
    ]);
  });

  it('is refused if its definition was archived, which the run says', async () => {
    const definition = await world.define();
    const signal = triggering.newName('signal');
    const name = await triggering.on(onSignal(signal), { job: { definition } });
    await world.rpc.call(JobDefinitionService.method.archiveJobDefinition, { name: definition });
    expect(await triggering.send(signal)).toMatchObject({ triggerCount: 1n });
    const run = only(await triggering.runs(name, 1));
    expect(run).toMatchObject({ state: ScheduleRunState.SKIPPED, skipReason: ScheduleSkipReason.REFUSED, jobId: '' });
    expect(run.message).toContain('archived');
  });
});
