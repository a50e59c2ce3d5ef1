/** Triggers over the wire: their runs while a job of an earlier run is open, paused runs, and failed jobs. */

import { create } from '@bufbuild/protobuf';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { OverlapPolicy, ScheduleRunState, ScheduleSkipReason } from '@muster-jobs/sdk/gen/muster/v1/schedule_pb';
import { SignalService } from '@muster-jobs/sdk/gen/muster/v1/signal_service_pb';
import type { TriggerRun } from '@muster-jobs/sdk/gen/muster/v1/trigger_pb';
import { TriggerService } from '@muster-jobs/sdk/gen/muster/v1/trigger_service_pb';
import { SignalWaitSchema, WaitBodySchema } from '@muster-jobs/sdk/gen/muster/v1/wait_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';
import { endNext, inputText, only, onSignal, Triggering } from './triggering.ts';

const { cancelJob, waitJob } = JobService.method;
const { listTriggerRuns, pauseTrigger, resumeTrigger } = TriggerService.method;
const { sendSignal } = SignalService.method;
const { STARTED, SKIPPED, BUFFERED } = ScheduleRunState;
const { ALLOW_ALL, SKIP, BUFFER_ONE, BUFFER_ALL, CANCEL_OTHER, TERMINATE_OTHER } = OverlapPolicy;

describe.each(databaseKinds)('the runs of a trigger on %s', (kind) => {
  let world: World;
  let triggering: Triggering;

  beforeAll(async () => {
    world = await World.startOn(kind);
    triggering = new Triggering(world);
  });

  afterAll(() => world?.stop());

  /** A trigger on a new signal, whose definition is its own. */
  async function make(overlapPolicy: OverlapPolicy, changes: { pauseOnFailure?: boolean } = {}) {
    const definition = await world.define({ retryPolicy: { maxAttempts: 1 } });
    const signal = triggering.newName('signal');
    const name = await triggering.on(onSignal(signal), { job: { definition }, overlapPolicy, ...changes });
    return { name, definition, send: (n: number) => triggering.send(signal, n), fire: fireOf(name, signal) };
  }

  /** Sends a signal, and resolves with its run once it is decided. */
  function fireOf(name: string, signal: string) {
    let sent = 0;
    return async (): Promise<TriggerRun> => {
      await triggering.send(signal, ++sent);
      return only(await triggering.runs(name, sent));
    };
  }

  const cancel = (jobId: string) => world.rpc.call(cancelJob, { jobId });
  const runOf = async (name: string, time: TriggerRun['time']) =>
    (await triggering.runsOf(name)).find(
      (run) => run.time?.seconds === time?.seconds && run.time?.nanos === time?.nanos,
    );

  it('start next to each other with ALLOW_ALL', async () => {
    const { name, fire } = await make(ALLOW_ALL);
    const runs = [await fire(), await fire(), await fire()];
    expect(runs.map(({ state }) => state)).toEqual([STARTED, STARTED, STARTED]);
    expect(new Set((await triggering.jobsOf(name)).map(({ jobId }) => jobId)).size).toBe(3);
  });

  it('are skipped with SKIP while a job is open', async () => {
    const { name, fire } = await make(SKIP);
    const first = await fire();
    const second = await fire();
    expect(second).toMatchObject({ state: SKIPPED, skipReason: ScheduleSkipReason.OVERLAP, jobId: '' });
    await cancel(first.jobId);
    await world.rpc.call(waitJob, { jobId: first.jobId });
    expect(await fire()).toMatchObject({ state: STARTED });
    expect(await triggering.jobsOf(name)).toHaveLength(2);
  });

  it('wait one by one with BUFFER_ONE, and keep their inputs', async () => {
    const { name, fire } = await make(BUFFER_ONE);
    const [first, second, third] = [await fire(), await fire(), await fire()];
    expect([first.state, second.state]).toEqual([STARTED, BUFFERED]);
    expect(third).toMatchObject({ state: SKIPPED, skipReason: ScheduleSkipReason.BUFFER_FULL });
    await cancel(first.jobId);
    await eventually('the second starts', async () => (await runOf(name, second.time))?.state === STARTED);
    const jobId = (await runOf(name, second.time))?.jobId ?? '';
    expect(JSON.parse(inputText(await world.getJob(jobId))).causes).toMatchObject([{ payload: 2 }]);
  });

  it('wait all with BUFFER_ALL, and start in their order', async () => {
    const { name, definition, fire } = await make(BUFFER_ALL);
    const worker = await world.openWorker(definition);
    for (let n = 0; n < 4; n++) await fire();
    for (let n = 0; n < 4; n++) await endNext(worker);
    const inputs = await eventually('all have started', async () => {
      const runs = await triggering.runsOf(name);
      return runs.every(({ state }) => state === STARTED) && triggering.inputs(name, 4);
    });
    expect(inputs.map(({ causes }) => causes[0]?.payload)).toEqual([1, 2, 3, 4]);
    const created = await Promise.all((await triggering.runsOf(name)).map(({ jobId }) => world.getJob(jobId)));
    const times = created.map(({ createTime }) => Number(createTime?.seconds) * 1e9 + Number(createTime?.nanos));
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });

  it('wait with CANCEL_OTHER for the end of the job that they cancel', async () => {
    const { name, definition, fire } = await make(CANCEL_OTHER);
    const worker = await world.openWorker(definition);
    const first = await fire();
    const attempt = only(await worker.take(1));
    const second = await fire();
    expect([first.state, second.state]).toEqual([STARTED, BUFFERED]);
    await eventually('the first job is asked to stop', () => worker.cancelled.includes(first.jobId));
    const third = await fire();
    expect(await runOf(name, second.time)).toMatchObject({ state: SKIPPED, skipReason: ScheduleSkipReason.REPLACED });
    await worker.report({ of: attempt, outcome: outcomes.cancelled });
    await eventually('the third starts', async () => (await runOf(name, third.time))?.state === STARTED);
    const { stateReason } = await world.getJob(first.jobId);
    expect(stateReason).toContain(`makes way for the next run of trigger ${name}`);
    expect(await triggering.jobsOf(name)).toHaveLength(2);
  });

  it('start with TERMINATE_OTHER next to the job that they cancel', async () => {
    const { definition, fire } = await make(TERMINATE_OTHER);
    const worker = await world.openWorker(definition);
    const first = await fire();
    await worker.take(1);
    const second = await fire();
    expect(second.state).toBe(STARTED);
    expect(await world.stateOf(first.jobId)).toBe('CANCELLING');
  });

  it('that wait do not start while the trigger is paused', async () => {
    const { name, fire } = await make(BUFFER_ALL);
    const first = await fire();
    const second = await fire();
    await world.rpc.call(pauseTrigger, { name });
    await cancel(first.jobId);
    await world.rpc.call(waitJob, { jobId: first.jobId });
    expect(await runOf(name, second.time)).toMatchObject({ state: BUFFERED });
    await world.rpc.call(resumeTrigger, { name });
    await eventually('it starts', async () => (await runOf(name, second.time))?.state === STARTED);
  });

  it('pause the trigger after a failed job if it is to', async () => {
    const { name, definition, send, fire } = await make(ALLOW_ALL, { pauseOnFailure: true });
    const worker = await world.openWorker(definition);
    await fire();
    await endNext(worker);
    const { jobId } = await fire();
    await endNext(worker, outcomes.failure());
    await eventually('it is paused', async () => (await triggering.get(name)).paused);
    expect((await triggering.get(name)).pauseReason).toBe(`job ${jobId} failed`);
    expect(await send(3)).toMatchObject({ triggerCount: 0n });
    await world.rpc.call(resumeTrigger, { name });
    expect(await send(4)).toMatchObject({ triggerCount: 1n });
    expect((await triggering.inputs(name, 3)).map(({ causes }) => causes[0]?.payload)).toEqual([1, 2, 4]);
  });

  it('are listed newest first, page by page', async () => {
    const { name, fire } = await make(ALLOW_ALL);
    for (let n = 0; n < 5; n++) await fire();
    const all = await triggering.runsOf(name);
    const first = await world.rpc.call(listTriggerRuns, { name, pageSize: 3 });
    const second = await world.rpc.call(listTriggerRuns, { name, pageSize: 3, pageToken: first.nextPageToken });
    expect([...first.runs, ...second.runs]).toEqual(all);
    expect([first.runs.length, second.nextPageToken]).toEqual([3, '']);
    expect((await triggering.inputs(name, 5)).map(({ causes }) => causes[0]?.payload)).toEqual([1, 2, 3, 4, 5]);
  });

  describe('SendSignal', () => {
    /** A job that waits for the signal. */
    async function awaiting(name: string): Promise<string> {
      const value = create(WaitBodySchema, { kind: { case: 'signal', value: create(SignalWaitSchema, { name }) } });
      const jobId = await world.submit(await world.define({ body: { case: 'wait', value } }));
      await eventually('it waits', async () => (await world.stateOf(jobId)) === 'WAITING');
      return jobId;
    }

    it('counts triggers that take it, and delivers it to waiting jobs, too', async () => {
      const signal = triggering.newName('signal');
      const names = [await triggering.on(onSignal(signal)), await triggering.on(onSignal(signal))];
      const jobId = await awaiting(signal);
      const sent = await triggering.send(signal, 5);
      expect(sent).toMatchObject({ triggerCount: 2n, deliveredCount: 1n, kept: false });
      await eventually('the job ends', async () => (await world.stateOf(jobId)) === 'SUCCEEDED');
      for (const name of names) expect((await triggering.onlyRun(name)).input.causes).toMatchObject([{ payload: 5 }]);
    });

    it('keeps no signal that a trigger takes, also if its filter does not count it', async () => {
      const signal = triggering.newName('signal');
      await triggering.on(onSignal(signal, { filter: 'false' }));
      const keepFor = { seconds: 60n };
      expect(await world.rpc.call(sendSignal, { name: signal, keepFor })).toMatchObject({
        triggerCount: 1n,
        deliveredCount: 0n,
        kept: false,
      });
      await awaiting(signal);
    });

    it('leaves a trigger alone that was made later, whose signal was kept', async () => {
      const signal = triggering.newName('signal');
      expect(await triggering.send(signal, 1)).toMatchObject({ triggerCount: 0n, kept: true });
      const name = await triggering.on(onSignal(signal));
      await triggering.send(signal, 2);
      expect((await triggering.onlyRun(name)).input.causes).toMatchObject([{ payload: 2, count: 1 }]);
    });

    it('with the same request id reaches a trigger once', async () => {
      const signal = triggering.newName('signal');
      const name = await triggering.on(onSignal(signal));
      const request = { name: signal, requestId: crypto.randomUUID() };
      expect(await world.rpc.call(sendSignal, request)).toMatchObject({ triggerCount: 1n, repeated: false });
      expect(await world.rpc.call(sendSignal, request)).toMatchObject({ triggerCount: 0n, repeated: true });
      await triggering.send(signal, 'end');
      expect(await triggering.runs(name, 2)).toHaveLength(2);
    });
  });
});
