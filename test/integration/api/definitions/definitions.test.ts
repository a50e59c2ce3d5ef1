/** Lists of definitions, and definitions that accept no new jobs. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { CompatibilityKind, JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { outcomes } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { applyJobDefinition, archiveJobDefinition, getJobDefinition, listJobDefinitions } = JobDefinitionService.method;
const { submitJob, submitJobs } = JobService.method;
const task = { case: 'task', value: {} } as const;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

describe('ListJobDefinitions', () => {
  const namespace = 'shelf';

  it('shows the newest version of each definition, page by page, and ends', async () => {
    for (const name of ['c', 'a', 'b', 'd', 'e']) await world.define({ namespace, name });
    await world.define({ namespace, name: 'b', description: 'newer' });
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let pageToken = ''; ; ) {
      const page = await world.rpc.call(listJobDefinitions, { namespace, pageSize: 2, pageToken });
      sizes.push(page.definitions.length);
      seen.push(...page.definitions.map(({ name, version, description }) => `${name} ${version} ${description}`));
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    expect(seen).toEqual(['a 1 ', 'b 2 newer', 'c 1 ', 'd 1 ', 'e 1 ']);
    expect(sizes).toEqual([2, 2, 1]);
    expect((await world.rpc.call(listJobDefinitions, { namespace: 'nothing' })).definitions).toEqual([]);
  });

  it('refuses a page token of another list', async () => {
    const { nextPageToken } = await world.rpc.call(listJobDefinitions, { namespace, pageSize: 2 });
    for (const request of [
      { namespace: 'other', pageToken: nextPageToken },
      { namespace, showArchived: true, pageToken: nextPageToken },
      { namespace, pageToken: `${nextPageToken}x` },
      { namespace, pageToken: Buffer.from(`${namespace}/a`).toString('base64url') },
    ]) {
      const refusal = await world.rpc.refused(listJobDefinitions, request);
      expect({ code: refusal.code, fields: refusal.fields }).toEqual({
        code: Code.INVALID_ARGUMENT,
        fields: ['page_token'],
      });
    }
  });
});

describe('an archived definition', () => {
  it('accepts no new jobs in any version, while existing jobs continue', async () => {
    const { worker, jobId, attempt } = await world.hold();
    const name = (await world.getJob(jobId)).definition;
    const waiting = await world.submit(name);
    const { definition } = await world.rpc.call(archiveJobDefinition, { name });
    expect(definition).toMatchObject({ name, version: 1 });
    expect(definition?.archiveTime && Math.abs(timestampMs(definition.archiveTime) - Date.now())).toBeLessThan(60_000);
    for (const definitionVersion of [0, 1]) {
      const refusal = await world.rpc.refused(submitJob, { job: { definition: name, definitionVersion } });
      expect({ code: refusal.code, reason: refusal.reason, preconditions: refusal.preconditions }).toEqual({
        code: Code.FAILED_PRECONDITION,
        reason: 'DEFINITION_ARCHIVED',
        preconditions: ['DEFINITION_ARCHIVED'],
      });
      expect(refusal.message).toContain('apply it again');
    }
    expect(await worker.report({ of: attempt, outcome: outcomes.result('x') })).toEqual(['ACCEPTED']);
    const [second] = await worker.take(1);
    expect(Buffer.from(second?.jobId ?? []).toString('hex')).toBe(waiting.replaceAll('-', ''));
  });

  it('is listed only on request', async () => {
    const namespace = 'attic';
    await world.define({ namespace, name: 'kept' });
    await world.define({ namespace, name: 'gone' });
    await world.rpc.call(archiveJobDefinition, { namespace, name: 'gone' });
    const names = async (showArchived: boolean) =>
      (await world.rpc.call(listJobDefinitions, { namespace, showArchived })).definitions.map(
        ({ name, archiveTime }) => [name, archiveTime !== undefined],
      );
    expect(await names(false)).toEqual([['kept', false]]);
    expect(await names(true)).toEqual([
      ['gone', true],
      ['kept', false],
    ]);
  });

  it('makes a call of several jobs fail as a whole', async () => {
    const [good, gone] = [await world.define(), await world.define()];
    await world.rpc.call(archiveJobDefinition, { name: gone });
    const jobs = [{ definition: good, idempotencyKey: 'whole' }, { definition: gone }];
    const refusal = await world.rpc.refused(submitJobs, { jobs });
    expect(refusal.message).toContain('jobs[1].definition');
    expect(await world.rpc.call(submitJob, { job: jobs[0] ?? {} })).toMatchObject({ existing: false });
  });

  it('can be archived twice, and shows it in any version', async () => {
    const name = await world.define();
    const first = await world.rpc.call(archiveJobDefinition, { name });
    expect(await world.rpc.call(archiveJobDefinition, { name })).toEqual(first);
    for (const version of [0, 1]) {
      const { definition } = await world.rpc.call(getJobDefinition, { name, version });
      expect(definition?.archiveTime).toEqual(first.definition?.archiveTime);
    }
  });

  it('is restored by applying it, also unchanged, but not by a validation', async () => {
    const name = await world.define();
    await world.rpc.call(archiveJobDefinition, { name });
    const definition = { name, body: task };
    await world.rpc.call(applyJobDefinition, { definition, validateOnly: true });
    expect((await world.rpc.refused(submitJob, { job: { definition: name } })).reason).toBe('DEFINITION_ARCHIVED');
    const back = await world.rpc.call(applyJobDefinition, { definition });
    expect(back).toMatchObject({ created: false, definition: { version: 1 } });
    expect(back.definition?.archiveTime).toBeUndefined();
    await world.submit(name);
  });
});

describe('a new version', () => {
  /** Names of the kinds of issues, with their subjects. */
  const reported = (issues: readonly { kind: CompatibilityKind; subjects: readonly string[] }[]) =>
    issues.map(({ kind, subjects }) => [
      Object.entries(CompatibilityKind).find(([, value]) => value === kind)?.[0],
      ...subjects,
    ]);

  it('reports field by field what differs from the one before', async () => {
    const name = 'differs';
    const first = await world.rpc.call(applyJobDefinition, { definition: { name, body: task, labels: { team: 'a' } } });
    expect(first.differences).toEqual([]);
    const changed = { name, body: task, labels: { team: 'b' }, retryPolicy: { maxAttempts: 5 }, priority: 2 };
    const second = await world.rpc.call(applyJobDefinition, { definition: changed });
    expect(second.differences.map(({ path, before, after }) => [path, before, after])).toEqual([
      ['retry_policy.max_attempts', '3', '5'],
      ['priority', '', '2'],
      ['labels["team"]', '"a"', '"b"'],
    ]);
    expect((await world.rpc.call(applyJobDefinition, { definition: changed })).differences).toEqual([]);
  });

  it('reports jobs in flight and workers that leave it out, and is stored all the same', async () => {
    const name = await world.define();
    await world.openWorkerOf({
      workerName: 'only-first',
      protocolVersion: 1,
      slots: 1,
      handlers: [{ name, minVersion: 1, maxVersion: 1 }],
    });
    await world.submit(name);
    const definition = { name, body: task, queue: 'other' };
    const dry = await world.rpc.call(applyJobDefinition, { definition, validateOnly: true });
    const expected = [
      ['NO_WORKER', 'only-first'],
      ['WORKER_EXCLUDES_VERSION', 'only-first'],
      ['JOBS_IN_FLIGHT', '1'],
      ['PLACEMENT_CHANGED'],
    ];
    expect(reported(dry.issues)).toEqual(expected);
    expect(dry).toMatchObject({ created: true, definition: { version: 2 }, differences: [{ path: 'queue' }] });
    expect((await world.rpc.call(getJobDefinition, { name })).definition?.version).toBe(1);
    const applied = await world.rpc.call(applyJobDefinition, { definition });
    expect(reported(applied.issues)).toEqual(expected);
    expect(applied).toMatchObject({ created: true, definition: { version: 2 } });
    expect((await world.rpc.call(applyJobDefinition, { definition })).issues).toEqual([]);
  });
});
