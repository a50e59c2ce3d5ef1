/** RolloutService over the wire: which version new jobs take, and how a roll-out advances, ends or is rolled back. */
import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { type Rollout, type RolloutSettingsSchema, RolloutState } from '@muster-jobs/sdk/gen/muster/v1/rollout_pb';
import { RolloutService } from '@muster-jobs/sdk/gen/muster/v1/rollout_service_pb';
import { WorkflowService } from '@muster-jobs/sdk/gen/muster/v1/workflow_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes, type TestWorker } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { applyJobDefinition } = JobDefinitionService.method;
const { getRollout, listRollouts, updateRollout, promoteRollout, rollBackRollout } = RolloutService.method;
const { OPEN, PROMOTED, ROLLED_BACK, SUPERSEDED } = RolloutState;

type Settings = MessageInitShape<typeof RolloutSettingsSchema>;

const all: Settings = { steps: [{ percent: 100 }] };
const none: Settings = { steps: [{ percent: 0 }] };

// What the database does is tested by the suite of the store, on each.
describe.each(databaseKinds.slice(0, 1))('roll-outs on %s', (kind) => {
  let world: World;

  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  /** Stores the next version of a definition. */
  async function applyNext(name: string, rollout?: Settings, namespace = ''): Promise<Rollout | undefined> {
    const body = { case: 'task', value: {} } as const;
    const definition = { namespace, name, body, description: randomUUID() };
    return (await world.rpc.call(applyJobDefinition, { definition, ...(rollout ? { rollout } : {}) })).rollout;
  }

  /** A definition whose second version is rolled out, with a worker for both. */
  async function begin(rollout: Settings): Promise<{ readonly name: string; readonly worker: TestWorker }> {
    const name = await world.define();
    const worker = await world.openWorker(name);
    await applyNext(name, rollout);
    await served(name);
    return { name, worker };
  }

  const get = async (definition: string) => (await world.rpc.call(getRollout, { definition })).rollout as Rollout;

  /** The roll-out once it is as wanted. */
  const until = (definition: string, what: string, isWanted: (rollout: Rollout) => boolean) =>
    eventually(`the roll-out of ${definition} ${what}`, async () => {
      const rollout = await get(definition);
      return isWanted(rollout) && rollout;
    });

  const served = (name: string) => until(name, 'is served', ({ waitsForWorkers }) => !waitsForWorkers);

  async function versionOf(definition: string, labels: Record<string, string> = {}): Promise<number> {
    return (await world.getJob(await world.submit(definition, { labels }))).definitionVersion;
  }

  /** The version that a new job takes, once the replica has read the change. */
  const untilVersion = (definition: string, wanted: number) =>
    eventually(
      `new jobs of ${definition} take version ${wanted}`,
      async () => (await versionOf(definition)) === wanted,
    );

  /** Ends jobs of a version, so many as failed. */
  async function endJobs(worker: TestWorker, definition: string, version: number, ends: number, failed: number) {
    for (let i = 0; i < ends; i++)
      await world.submit(definition, { definitionVersion: version, labels: { ends: 'yes' } });
    for (const [i, of] of (await worker.take(ends)).entries())
      await worker.report({ of, outcome: i < failed ? outcomes.failure({ nonRetryable: true }) : outcomes.result() });
  }

  it('begin with the version, and are read and listed', async () => {
    const namespace = `ns-${kind.toLowerCase().replace(/\W/g, '')}`;
    for (const name of ['b', 'a', 'c']) {
      expect(await applyNext(name, undefined, namespace)).toBeUndefined();
      const begun = await applyNext(
        name,
        { steps: [{ percent: 5, hold: { seconds: 600n } }, { percent: 50 }] },
        namespace,
      );
      expect(begun).toMatchObject({
        ...{ namespace, definition: name, version: 2, baseVersion: 1, state: OPEN, step: 0, waitsForWorkers: true },
        settings: { minJobCount: 20, maxFailureIncrease: 0.1, labels: {} },
      });
    }
    await applyNext('b', all, namespace);
    const found: string[] = [];
    for (let pageToken = ''; ; ) {
      const page = await world.rpc.call(listRollouts, { namespace, pageSize: 2, pageToken });
      found.push(...page.rollouts.map(({ definition, version }) => `${definition}/${version}`));
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    expect(found).toEqual(['a/2', 'b/3', 'b/2', 'c/2']);
    const second = await world.rpc.call(getRollout, { namespace, definition: 'b', version: 2 });
    expect(second.rollout).toMatchObject({ state: SUPERSEDED, reason: 'version 3 was stored' });
    const newest = await world.rpc.call(getRollout, { namespace, definition: 'b' });
    expect(newest.rollout).toMatchObject({ version: 3, baseVersion: 1, state: OPEN });
  });

  it('are refused for a first version, ignored for the same content, and not begun by a check', async () => {
    const body = { case: 'task', value: {} } as const;
    const first = { definition: { name: `first-${randomUUID()}`, body }, rollout: all };
    for (const validateOnly of [true, false]) {
      const refusal = await world.rpc.refused(applyJobDefinition, { ...first, validateOnly });
      expect(refusal).toMatchObject({ code: Code.INVALID_ARGUMENT, fields: ['rollout'] });
    }
    const name = await world.define();
    const same = await world.rpc.call(applyJobDefinition, { definition: { name, body }, rollout: all });
    expect(same).toMatchObject({ created: false });
    expect(same.rollout).toBeUndefined();
    const checked = { definition: { name, body, description: 'x' }, rollout: all, validateOnly: true };
    expect(await world.rpc.call(applyJobDefinition, checked)).toMatchObject({ created: true });
    expect(await world.rpc.refused(getRollout, { definition: name })).toMatchObject({ reason: 'ROLLOUT_NOT_FOUND' });
  });

  it('are rolled back for the check of a workflow too', async () => {
    const name = `step-${randomUUID()}`;
    const schemaOf = (property: string) =>
      JSON.stringify({
        required: [property],
        type: 'object',
        additionalProperties: false,
        properties: { [property]: {} },
      });
    const apply = (property: string, rollout?: Settings) =>
      world.rpc.call(applyJobDefinition, {
        definition: { name, body: { case: 'task', value: {} }, inputJsonSchema: schemaOf(property) },
        ...(rollout ? { rollout } : {}),
      });
    await apply('old');
    await apply('fresh', none);
    await world.rpc.call(rollBackRollout, { definition: name });
    const workflowOf = (property: string) => ({
      definition: {
        name: `flow-${randomUUID()}`,
        body: {
          case: 'workflow' as const,
          value: { steps: [{ name: 'one', definition: name, input: `{"${property}": 1}` }] },
        },
      },
    });
    expect(await world.rpc.call(applyJobDefinition, workflowOf('old'))).toMatchObject({ created: true });
    expect(await world.rpc.refused(applyJobDefinition, workflowOf('fresh'))).toMatchObject({
      code: Code.INVALID_ARGUMENT,
    });
  });

  it('are part of what a request id stands for', async () => {
    const definition = { name: await world.define(), body: { case: 'task', value: {} }, description: 'x' } as const;
    const requestId = randomUUID();
    const request = { definition, rollout: none, requestId };
    expect(await world.rpc.call(applyJobDefinition, request)).toMatchObject({ created: true });
    const again = await world.rpc.call(applyJobDefinition, request);
    expect(again.rollout).toMatchObject({ version: 2 });
    const other = await world.rpc.refused(applyJobDefinition, { ...request, rollout: all });
    expect(other).toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  it('hold a step while jobs are tried again that would make the rate too high', async () => {
    const { name, worker } = await begin({
      steps: [{ percent: 0, hold: { seconds: 1n } }, { percent: 50 }],
      minJobCount: 2,
    });
    await endJobs(worker, name, 2, 2, 0);
    await world.submit(name, {
      definitionVersion: 2,
      retryPolicy: { maxAttempts: 2, minBackoff: { seconds: 600n }, maxBackoff: { seconds: 600n } },
    });
    const [of] = await worker.take(1);
    if (of) await worker.report({ of, outcome: outcomes.failure({}) });
    const held = await until(name, 'counts it', ({ counts }) => counts?.retryingCount === 1);
    expect(held).toMatchObject({ state: OPEN, step: 0, counts: { endedCount: 2, failedCount: 0 } });
    await endJobs(worker, name, 2, 10, 0);
    await until(name, 'is at its next step', ({ step }) => step === 1);
  });

  it('give the new version no jobs until a worker serves it', async () => {
    const name = await world.define();
    await world.openWorkerOf({
      ...{ workerName: 'old', protocolVersion: 1, slots: 1 },
      handlers: [{ name, minVersion: 1, maxVersion: 1 }],
    });
    await applyNext(name, all);
    const waiting = await until(name, 'is judged', ({ checkTime }) => checkTime !== undefined);
    expect(waiting).toMatchObject({ state: OPEN, waitsForWorkers: true });
    expect(await versionOf(name)).toBe(1);
    await world.openWorker(name);
    await served(name);
    await untilVersion(name, 2);
  });

  it('give it the wanted part of the new jobs, and those with the labels', async () => {
    const { name } = await begin({ steps: [{ percent: 30 }], labels: { tier: 'internal', site: 'a' } });
    await eventually(
      'the replica has read it',
      async () => (await versionOf(name, { tier: 'internal', site: 'a' })) === 2,
    );
    const jobs = Array.from({ length: 1_000 }, () => ({ definition: name, labels: { wave: '1' } }));
    await world.rpc.call(JobService.method.submitJobs, { jobs });
    const { counts } = await countByVersion(name, 'wave', '1');
    // 300 expected, with a standard deviation of 15: eight of them either way.
    expect(counts.get(2)).toBeGreaterThan(180);
    expect(counts.get(2)).toBeLessThan(420);
    for (let i = 0; i < 5; i++) expect(await versionOf(name, { tier: 'internal', site: 'a', other: 'x' })).toBe(2);
    await world.rpc.call(updateRollout, { definition: name, settings: { ...none, labels: { tier: 'internal' } } });
    await eventually('no other job takes it', async () => {
      const some = await Promise.all(Array.from({ length: 20 }, () => versionOf(name, { tier: 'public' })));
      return some.every((version) => version === 1);
    });
    expect(await versionOf(name, { tier: 'internal' })).toBe(2);
  });

  async function countByVersion(definition: string, label: string, value: string) {
    const counts = new Map<number, number>();
    for (let pageToken = ''; ; ) {
      const filter = { definition, labels: { [label]: value } };
      const page = await world.rpc.call(JobService.method.listJobs, { filter, pageSize: 1_000, pageToken });
      for (const { definitionVersion } of page.jobs)
        counts.set(definitionVersion, (counts.get(definitionVersion) ?? 0) + 1);
      pageToken = page.nextPageToken;
      if (pageToken === '') return { counts };
    }
  }

  it('leave a submission that names its version alone, and decide for steps of workflows', async () => {
    const { name } = await begin(all);
    await untilVersion(name, 2);
    const old = await world.submit(name, { definitionVersion: 1 });
    expect((await world.getJob(old)).definitionVersion).toBe(1);
    await world.rpc.call(rollBackRollout, { definition: name });
    await untilVersion(name, 1);
    const named = await world.submit(name, { definitionVersion: 2 });
    expect((await world.getJob(named)).definitionVersion).toBe(2);
    const steps = [{ name: 'one', definition: name }];
    const workflow = await world.define({ body: { case: 'workflow', value: { steps } } } as never);
    const jobId = await world.submit(workflow);
    const step = await eventually('the step has its job', async () => {
      const { steps: found } = await world.rpc.call(WorkflowService.method.listWorkflowSteps, { jobId });
      return found[0]?.jobId || undefined;
    });
    expect((await world.getJob(step)).definitionVersion).toBe(1);
  });

  it('go back when the new version fails more often, and say why', async () => {
    const { name, worker } = await begin({ ...all, minJobCount: 5, maxFailureIncrease: 0.2 });
    await endJobs(worker, name, 1, 10, 1);
    await endJobs(worker, name, 2, 6, 2);
    const back = await until(name, 'is over', ({ state }) => state !== OPEN);
    expect(back).toMatchObject({
      state: ROLLED_BACK,
      reason:
        '33.3 % of its jobs failed (2 of 6), and 10 % of those of the version before (1 of 10): more than 20 % apart',
      counts: { endedCount: 6, failedCount: 2 },
      baseCounts: { endedCount: 10, failedCount: 1 },
    });
    expect(back.endTime).toBeDefined();
    await untilVersion(name, 1);
    // A further version is compared with the one that took its place.
    expect(await applyNext(name, all)).toMatchObject({ version: 3, baseVersion: 1 });
  });

  it('stay open while too few jobs have ended, or as many fail as before', async () => {
    const { name, worker } = await begin({ ...all, minJobCount: 4, maxFailureIncrease: 0.2 });
    await endJobs(worker, name, 2, 3, 3);
    const few = await until(name, 'counts them', ({ counts }) => counts?.endedCount === 3);
    expect(few.state).toBe(OPEN);
    await endJobs(worker, name, 1, 4, 4);
    await endJobs(worker, name, 2, 2, 2);
    const same = await until(
      name,
      'counts all',
      ({ counts, baseCounts }) => counts?.endedCount === 5 && baseCounts?.endedCount === 4,
    );
    expect(same.state).toBe(OPEN);
  });

  it('advance step by step, and end as promoted', async () => {
    const hold = { seconds: 1n };
    const { name, worker } = await begin({
      steps: [
        { percent: 0, hold },
        { percent: 50, hold },
        { percent: 100, hold },
      ],
      minJobCount: 1,
    });
    const first = await until(name, 'is judged', ({ checkTime }) => checkTime !== undefined);
    expect(first.step).toBe(0);
    await endJobs(worker, name, 2, 2, 0);
    const last = await until(name, 'is over', ({ state }) => state !== OPEN);
    expect(last).toMatchObject({ state: PROMOTED, step: 2, reason: 'its last step is over' });
    await untilVersion(name, 2);
    await applyNext(name);
    await untilVersion(name, 3);
  });

  it('are promoted and rolled back by hand, once', async () => {
    const { name } = await begin(none);
    const requestId = randomUUID();
    const promoted = await world.rpc.call(promoteRollout, { definition: name, requestId });
    expect(promoted.rollout).toMatchObject({ state: PROMOTED, reason: 'by hand' });
    const repeated = await world.rpc.call(promoteRollout, { definition: name, requestId });
    expect(repeated.rollout?.endTime).toEqual(promoted.rollout?.endTime);
    await world.rpc.call(promoteRollout, { definition: name });
    const late = await world.rpc.refused(rollBackRollout, { definition: name });
    expect(late).toMatchObject({ code: Code.FAILED_PRECONDITION, reason: 'ROLLOUT_ENDED' });
    expect(late.info?.metadata).toMatchObject({ state: 'PROMOTED' });
    const update = await world.rpc.refused(updateRollout, { definition: name, settings: all });
    expect(update).toMatchObject({ reason: 'ROLLOUT_ENDED' });
    await untilVersion(name, 2);
    const { name: other } = await begin(all);
    const back = await world.rpc.call(rollBackRollout, { definition: other, reason: 'too slow' });
    expect(back.rollout).toMatchObject({ state: ROLLED_BACK, reason: 'too slow' });
    await untilVersion(other, 1);
    const reused = await world.rpc.refused(rollBackRollout, { definition: other, requestId });
    expect(reused).toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  it('that do not exist are not found', async () => {
    const name = await world.define();
    const missing = { code: Code.NOT_FOUND, reason: 'ROLLOUT_NOT_FOUND' };
    expect(await world.rpc.refused(getRollout, { definition: name })).toMatchObject(missing);
    expect(await world.rpc.refused(promoteRollout, { definition: name, version: 1 })).toMatchObject(missing);
    expect(await world.rpc.refused(rollBackRollout, { definition: 'nothing' })).toMatchObject(missing);
    expect(await world.rpc.refused(updateRollout, { definition: name, settings: all })).toMatchObject(missing);
  });
});
