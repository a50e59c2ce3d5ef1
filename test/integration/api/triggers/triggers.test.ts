/** TriggerService over the wire: triggers created, read, listed, changed, paused, resumed and deleted. */
import { randomUUID } from 'node:crypto';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { OverlapPolicy, ScheduleRunState } from '@muster-jobs/sdk/gen/muster/v1/schedule_pb';
import { ScheduleService } from '@muster-jobs/sdk/gen/muster/v1/schedule_service_pb';
import { TriggerService } from '@muster-jobs/sdk/gen/muster/v1/trigger_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { World } from '../base/world.ts';
import { allOf, anyOf, onAsset, onJob, onSchedule, onSignal, Triggering } from './triggering.ts';

const { applyTrigger, getTrigger, listTriggers, deleteTrigger, pauseTrigger, resumeTrigger } = TriggerService.method;
const { listTriggerRuns, explainTrigger } = TriggerService.method;
const { applyJobDefinition, archiveJobDefinition } = JobDefinitionService.method;
const { applySchedule, deleteSchedule, getSchedule, listSchedules, triggerSchedule } = ScheduleService.method;
const notFound = { code: Code.NOT_FOUND, reason: 'TRIGGER_NOT_FOUND' };
const body = { case: 'task', value: {} } as const;

describe.each(databaseKinds)('TriggerService on %s', (kind) => {
  let world: World;
  let triggering: Triggering;

  beforeAll(async () => {
    world = await World.startOn(kind);
    triggering = new Triggering(world);
  });

  afterAll(() => world?.stop());

  describe('ApplyTrigger', () => {
    it('creates a trigger with its defaults, and keeps it if nothing changes', async () => {
      const definition = await world.define();
      const trigger = { name: 'defaults', condition: onJob('other'), job: { definition, labels: { b: '2', a: '1' } } };
      const first = await world.rpc.call(applyTrigger, { trigger });
      expect(first.created).toBe(true);
      expect(first.trigger).toMatchObject({
        namespace: 'default',
        name: 'defaults',
        condition: { kind: { value: { on: { value: { definition: 'other', states: [JobState.SUCCEEDED] } } } } },
        overlapPolicy: OverlapPolicy.ALLOW_ALL,
        expireAfter: { seconds: 2_592_000n },
        pauseOnFailure: false,
        paused: false,
        jobCount: 0n,
      });
      expect(first.trigger?.job?.input).toBeUndefined();
      expect(first.trigger?.createTime).toBeDefined();
      expect(await triggering.get('defaults')).toEqual(first.trigger);
      const sorted = { ...trigger, job: { definition, labels: { a: '1', b: '2' } } };
      expect(await world.rpc.call(applyTrigger, { trigger: sorted })).toEqual({ ...first, created: false });
      const written = first.trigger && { trigger: first.trigger };
      expect(await world.rpc.call(applyTrigger, written ?? {})).toEqual({ ...first, created: false });
    });

    it('stores every setting, and replaces all of them', async () => {
      const definition = await world.define();
      const key = 'cause.name';
      const condition = allOf(
        [
          onSignal('a.b', { key, filter: 'cause.payload.x > 1' }),
          anyOf([onAsset('orders', { key }), onJob('load', [JobState.FAILED, JobState.EXPIRED], { key })]),
          allOf([onSchedule('nightly', { key })]),
        ],
        1_500,
      );
      const settings = {
        condition,
        overlapPolicy: OverlapPolicy.BUFFER_ALL,
        pauseOnFailure: true,
        expireAfter: { seconds: 90n },
        description: 'all of them',
        job: { definition, priority: 4, labels: { team: 'a' }, queue: 'own', runTimeout: { seconds: 9n } },
      };
      const made = await triggering.apply({ name: 'settings', ...settings });
      expect(made).toMatchObject(settings);
      const changed = await triggering.apply({ name: 'settings', condition: onSignal('c'), job: { definition } });
      expect(changed).toMatchObject({
        overlapPolicy: OverlapPolicy.ALLOW_ALL,
        pauseOnFailure: false,
        expireAfter: { seconds: 2_592_000n },
        description: '',
        job: { labels: {} },
      });
      expect(changed.job?.priority).toBeUndefined();
      expect(changed.etag).not.toBe(made.etag);
      expect(changed.createTime).toEqual(made.createTime);
    });

    it('with an etag changes a trigger only if the etag is current', async () => {
      const { name, job = {}, condition = {}, etag } = await triggering.apply();
      const trigger = { name, job, condition, etag, description: 'newer' };
      await world.rpc.call(applyTrigger, { trigger });
      expect(await world.rpc.refused(applyTrigger, { trigger: { ...trigger, description: 'stale' } })).toMatchObject({
        code: Code.ABORTED,
        reason: 'ETAG_STALE',
        message: expect.stringContaining(`trigger ${name} `),
      });
      expect(await world.rpc.refused(applyTrigger, { trigger: { ...trigger, name: 'nowhere' } })).toMatchObject(
        notFound,
      );
      expect((await triggering.get(name)).description).toBe('newer');
    });

    it('with validate_only checks a trigger and stores nothing', async () => {
      const definition = await world.define();
      const trigger = { name: 'only-checked', condition: onSignal('unheard'), job: { definition } };
      const checked = await world.rpc.call(applyTrigger, { trigger, validateOnly: true });
      expect(checked).toMatchObject({
        created: false,
        trigger: { name: 'only-checked', etag: '', overlapPolicy: OverlapPolicy.ALLOW_ALL },
      });
      expect(await world.rpc.refused(getTrigger, { name: 'only-checked' })).toMatchObject(notFound);
      expect(await triggering.send('unheard')).toMatchObject({ triggerCount: 0n, kept: true });
      const unknown = { ...trigger, job: { definition: 'unknown' } };
      expect(await world.rpc.refused(applyTrigger, { trigger: unknown, validateOnly: true })).toMatchObject({
        code: Code.NOT_FOUND,
        reason: 'DEFINITION_NOT_FOUND',
      });
    });

    it('creates a trigger once by a repeated request', async () => {
      const requestId = randomUUID();
      const definition = await world.define();
      const trigger = { name: 'repeated', condition: onSignal('x'), job: { definition } };
      expect(await world.rpc.call(applyTrigger, { trigger, requestId })).toMatchObject({ created: true });
      await world.rpc.call(applyTrigger, { trigger: { ...trigger, description: 'changed since' } });
      expect(await world.rpc.call(applyTrigger, { trigger, requestId })).toMatchObject({
        created: false,
        trigger: { description: 'changed since' },
      });
      const other = { trigger: { ...trigger, condition: onSignal('y') }, requestId };
      expect(await world.rpc.refused(applyTrigger, other)).toMatchObject({
        code: Code.INVALID_ARGUMENT,
        reason: 'REQUEST_ID_REUSED',
      });
    });

    it('is refused for an archived definition, except as a repeat', async () => {
      const requestId = randomUUID();
      const definition = await world.define();
      const trigger = { name: 'archived', condition: onSignal('x'), job: { definition } };
      await world.rpc.call(applyTrigger, { trigger, requestId });
      await world.rpc.call(archiveJobDefinition, { name: definition });
      expect(await world.rpc.call(applyTrigger, { trigger, requestId })).toMatchObject({ created: false });
      expect(await world.rpc.refused(applyTrigger, { trigger })).toMatchObject({
        code: Code.FAILED_PRECONDITION,
        reason: 'DEFINITION_ARCHIVED',
      });
    });

    it('forgets what has happened if the condition changes, and else keeps it', async () => {
      const [a, b, c] = ['a', 'b', 'c'].map((what) => triggering.newName(what)) as [string, string, string];
      const definition = await world.define();
      const name = await triggering.on(allOf([onSignal(a), onSignal(b)]), { job: { definition } });
      await triggering.send(a);
      await triggering.holds(name, 1);
      const settings = { name, job: { definition }, description: 'new', expireAfter: { seconds: 3_600n } };
      await triggering.apply({ ...settings, condition: allOf([onSignal(a), onSignal(b)]) });
      expect(await triggering.progress(name)).toMatchObject([{ held: [{ condition: 0 }] }]);
      await triggering.apply({ ...settings, condition: allOf([onSignal(a), onSignal(c)]) });
      expect(await triggering.progress(name)).toEqual([]);
      expect(await triggering.send(b)).toMatchObject({ triggerCount: 0n });
      await triggering.send(c);
      expect(await triggering.holds(name, 1)).toMatchObject([{ held: [{ condition: 1 }], missing: [`signal ${a}`] }]);
      await triggering.send(a);
      expect((await triggering.onlyRun(name)).input.causes.map((cause) => cause.name)).toEqual([c, a]);
    });
  });

  it('lists triggers by name, with page tokens that belong to the list', async () => {
    const namespace = triggering.newName('ns');
    const job = { definition: 'work' };
    await world.rpc.call(applyJobDefinition, { definition: { namespace, name: 'work', body } });
    for (const name of ['c', 'a', 'b'])
      await world.rpc.call(applyTrigger, { trigger: { namespace, name, condition: onSignal('x'), job } });
    const first = await world.rpc.call(listTriggers, { namespace, pageSize: 2 });
    expect(first.triggers.map(({ name }) => name)).toEqual(['a', 'b']);
    const rest = { pageSize: 2, pageToken: first.nextPageToken };
    const second = await world.rpc.call(listTriggers, { namespace, ...rest });
    expect(second.triggers.map(({ name }) => name)).toEqual(['c']);
    expect(second.nextPageToken).toBe('');
    for (const [method, request] of [
      [listTriggers, rest],
      [listSchedules, { namespace, ...rest }],
      [listTriggerRuns, { namespace, name: 'a', ...rest }],
      [explainTrigger, { namespace, name: 'a', ...rest }],
    ] as const)
      expect(await world.rpc.refused(method as typeof listTriggers, request as object)).toMatchObject({
        code: Code.INVALID_ARGUMENT,
        fields: ['page_token'],
      });
  });

  it('keeps triggers of a namespace to its signals', async () => {
    const namespace = triggering.newName('ns');
    await world.rpc.call(applyJobDefinition, { definition: { namespace, name: 'work', body } });
    const signal = triggering.newName('signal');
    const trigger = { namespace, name: 'away', condition: onSignal(signal), job: { definition: 'work' } };
    await world.rpc.call(applyTrigger, { trigger });
    expect(await triggering.send(signal)).toMatchObject({ triggerCount: 0n, kept: true });
    expect(await world.rpc.refused(getTrigger, { name: 'away' })).toMatchObject(notFound);
  });

  it('has a trigger and a schedule of the same name', async () => {
    const definition = await world.define();
    const [name, signal] = ['twin', triggering.newName('signal')];
    const schedule = { name, times: { crons: ['0 0 1 1 *'] }, job: { definition }, description: 'a schedule' };
    expect(await world.rpc.call(applySchedule, { schedule })).toMatchObject({ created: true });
    const trigger = { name, condition: onSignal(signal), job: { definition }, description: 'a trigger' };
    expect(await world.rpc.call(applyTrigger, { trigger })).toMatchObject({ created: true });
    const { run } = await world.rpc.call(triggerSchedule, { name });
    await triggering.send(signal);
    const { job } = await triggering.onlyRun(name);
    expect(job.jobId).not.toBe(run?.jobId);
    expect((await triggering.jobsOf(name)).map(({ jobId }) => jobId)).toEqual([job.jobId]);
    const schedules = await world.rpc.call(listSchedules, { pageSize: 1_000 });
    expect(schedules.schedules.filter((one) => one.name === name)).toMatchObject([{ description: 'a schedule' }]);
    const triggers = await world.rpc.call(listTriggers, { pageSize: 1_000 });
    expect(triggers.triggers.filter((one) => one.name === name)).toMatchObject([{ description: 'a trigger' }]);
    await world.rpc.call(deleteSchedule, { name });
    expect((await triggering.get(name)).description).toBe('a trigger');
    expect(await world.rpc.refused(getSchedule, { name })).toMatchObject({ reason: 'SCHEDULE_NOT_FOUND' });
    expect(await world.rpc.refused(triggerSchedule, { name })).toMatchObject({ reason: 'SCHEDULE_NOT_FOUND' });
  });

  describe('PauseTrigger', () => {
    it('ignores what happens until ResumeTrigger, and keeps what has happened before', async () => {
      const [a, b] = [triggering.newName('a'), triggering.newName('b')];
      const name = await triggering.on(allOf([onSignal(a), onSignal(b)]));
      await triggering.send(a, 1);
      await triggering.holds(name, 1);
      const paused = await world.rpc.call(pauseTrigger, { name, reason: 'stock-taking' });
      expect(paused.trigger).toMatchObject({ paused: true, pauseReason: 'stock-taking' });
      expect(await triggering.send(a, 2)).toMatchObject({ triggerCount: 0n });
      expect(await triggering.send(b, 2)).toMatchObject({ triggerCount: 0n });
      const again = await world.rpc.call(pauseTrigger, { name, reason: 'still' });
      expect(again.trigger).toMatchObject({ paused: true, pauseReason: 'still' });
      for (let n = 0; n < 2; n++) {
        const resumed = await world.rpc.call(resumeTrigger, { name });
        expect(resumed.trigger).toMatchObject({ paused: false, pauseReason: '' });
      }
      expect(await triggering.progress(name)).toMatchObject([{ held: [{ condition: 0, count: 1n }] }]);
      await triggering.send(b, 3);
      expect((await triggering.onlyRun(name)).input.causes).toMatchObject([
        { name: a, count: 1, payload: 1 },
        { name: b, count: 1, payload: 3 },
      ]);
    });

    it('and ResumeTrigger do nothing again if they are repeated', async () => {
      const { name } = await triggering.apply();
      const pause = { name, reason: 'once', requestId: randomUUID() };
      await world.rpc.call(pauseTrigger, pause);
      const resume = { name, requestId: randomUUID() };
      await world.rpc.call(resumeTrigger, resume);
      expect((await world.rpc.call(pauseTrigger, pause)).trigger?.paused).toBe(false);
      await world.rpc.call(pauseTrigger, { name });
      expect((await world.rpc.call(resumeTrigger, resume)).trigger?.paused).toBe(true);
    });
  });

  describe('DeleteTrigger', () => {
    it('makes the trigger unknown to all calls; its jobs stay', async () => {
      const signal = triggering.newName('signal');
      const name = await triggering.on(onSignal(signal));
      await triggering.send(signal);
      const { run } = await triggering.onlyRun(name);
      expect(run.state).toBe(ScheduleRunState.STARTED);
      const requestId = randomUUID();
      await world.rpc.call(deleteTrigger, { name, requestId });
      for (const method of [
        getTrigger,
        deleteTrigger,
        pauseTrigger,
        resumeTrigger,
        listTriggerRuns,
        explainTrigger,
      ] as const)
        expect(await world.rpc.refused(method as typeof getTrigger, { name })).toMatchObject(notFound);
      expect((await world.getJob(run.jobId)).jobId).toBe(run.jobId);
      expect(await triggering.send(signal)).toMatchObject({ triggerCount: 0n, kept: true });
      // A repeat of the call deletes no later trigger of the same name.
      await triggering.apply({ name });
      await world.rpc.call(deleteTrigger, { name, requestId });
      expect(await triggering.get(name)).toMatchObject({ name, jobCount: 0n });
      expect(await triggering.runsOf(name)).toEqual([]);
    });

    it('forgets what has happened: a new trigger of the same name begins anew', async () => {
      const [a, b] = [triggering.newName('a'), triggering.newName('b')];
      const condition = allOf([onSignal(a), onSignal(b)]);
      const name = await triggering.on(condition);
      await triggering.send(a);
      await triggering.holds(name, 1);
      await world.rpc.call(deleteTrigger, { name });
      await triggering.on(condition, { name });
      expect(await triggering.progress(name)).toEqual([]);
      await triggering.send(b);
      expect(await triggering.holds(name, 1)).toMatchObject([{ missing: [`signal ${a}`] }]);
    });
  });
});
