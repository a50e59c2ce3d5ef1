/** Calls of the client about definitions, jobs, workers, breakers and the namespace, on a real control plane. */
import type { Job } from '@muster-jobs/sdk';
import {
  Client,
  Code,
  CompatibilityKind,
  DuplicatePolicy,
  durationToMs,
  JobState,
  MusterError,
} from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/base/eventually.ts';
import { Deployment } from './deployment.ts';

let deployment: Deployment;
let client: Client;

beforeAll(async () => {
  deployment = await Deployment.start();
  ({ client } = deployment);
  await client.applyDefinition({ name: 'typescript-waiting' });
  await deployment.startWorker('typescript');
});

afterAll(() => deployment?.stop());

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const refused = (code: number, reason: string) => expect.objectContaining({ code, reason });

describe('definitions', () => {
  it('are validated without being stored, with their differences and breaking changes', async () => {
    const name = 'checked';
    expect(await client.checkDefinition({ name })).toMatchObject({ created: true, differences: [] });
    await expect(client.getDefinition(name)).rejects.toEqual(refused(Code.NOT_FOUND, 'DEFINITION_NOT_FOUND'));
    await client.applyDefinition({ name });
    await client.submit(name);
    const answer = await client.checkDefinition({ name, queue: 'other' });
    expect(answer).toMatchObject({ created: true, definition: { version: 2 }, differences: [{ path: 'queue' }] });
    const kinds = answer.issues.map(({ kind }) => kind);
    expect(kinds).toContain(CompatibilityKind.JOBS_IN_FLIGHT);
    expect(kinds).toContain(CompatibilityKind.PLACEMENT_CHANGED);
    expect((await client.getDefinition(name)).version).toBe(1);
    await expect(client.checkDefinition({ name: 'No' })).rejects.toBeInstanceOf(MusterError);
  });

  it('carry submission rules, which answer and refuse', async () => {
    const uniqueness = { fields: ['order'], duplicatePolicy: DuplicatePolicy.REJECT };
    await client.applyDefinition({ name: 'unique', uniqueness });
    expect((await client.getDefinition('unique')).uniqueness).toMatchObject(uniqueness);
    const { jobId } = await client.submit('unique', { order: 1, n: 1 });
    const error = await client.submit('unique', { order: 1, n: 2 }).catch((error) => error);
    expect(error).toMatchObject({ code: Code.ALREADY_EXISTS, reason: 'DUPLICATE_JOB', metadata: { job_id: jobId } });
    await client.applyDefinition({ name: 'debounced', debounce: { wait: { seconds: 3_600n } } });
    const first = await client.submit('debounced', null);
    await client.submit('debounced', null);
    expect((await client.get(first)).state).toBe(JobState.CANCELLED);
    const throttle = { period: { seconds: 3_600n }, duplicatePolicy: DuplicatePolicy.REJECT };
    await client.applyDefinition({ name: 'throttled', throttle });
    await client.submit('throttled', null);
    await expect(client.submit('throttled', null)).rejects.toEqual(refused(Code.RESOURCE_EXHAUSTED, 'THROTTLED'));
  });

  it('are listed and archived, and then refuse jobs', async () => {
    await client.applyDefinition({ name: 'old' });
    await client.archiveDefinition('old');
    const names = async (showArchived: boolean) =>
      (await client.listDefinitions({ showArchived })).definitions.map((definition) => definition.name);
    expect(await names(false)).not.toContain('old');
    expect(await names(true)).toContain('old');
    await expect(client.submit('old')).rejects.toEqual(refused(Code.FAILED_PRECONDITION, 'DEFINITION_ARCHIVED'));
  });
});

describe('list', () => {
  it('returns all matching jobs, newest first, over all pages', async () => {
    await client.applyDefinition({ name: 'many' });
    const jobs = Array.from({ length: 25 }, (_, i) => ({ definition: 'many', labels: { odd: `${i % 2}` } }));
    const ids = (await client.submitMany(jobs)).map(({ jobId }) => jobId);
    const listed = await all(client.list({ definition: 'many' }, { pageSize: 7 }));
    expect(listed.map(({ jobId }) => jobId)).toEqual([...ids].sort().reverse());
    expect(await all(client.list({ definition: 'many', labels: { odd: '1' } }))).toHaveLength(12);
    expect(await all(client.list({ definition: 'many', states: [JobState.FAILED] }))).toEqual([]);
    let seen = 0;
    for await (const _ of client.list({ definition: 'many' }, { pageSize: 2 })) if (++seen === 3) break;
    expect(seen).toBe(3);
  });
});

describe('watch', () => {
  it('returns each change until the job has ended, and no revision twice', async () => {
    await client.applyDefinition({ name: 'watched' });
    const job = await client.submit('watched');
    const seen: Job[] = [];
    const watching = (async () => {
      for await (const one of client.watch(job)) seen.push(one);
    })();
    await eventually('the job is seen', () => seen.length === 1);
    await client.pause(job, 'for a while');
    await eventually('the pause is seen', () => seen.at(-1)?.state === JobState.PAUSED);
    await client.cancel(job);
    await watching;
    expect(seen[0]?.state).toBe(JobState.READY);
    expect(seen.at(-1)?.state).toBe(JobState.CANCELLED);
    expect(new Set(seen.map(({ revision }) => revision)).size).toBe(seen.length);
  });

  it('ends with CANCELLED on an abort, and with NOT_FOUND for an unknown job', async () => {
    const job = await client.submit('watched');
    const stop = new AbortController();
    const watching = (async () => {
      for await (const _ of client.watch(job, { signal: stop.signal })) stop.abort();
    })();
    await expect(watching).rejects.toMatchObject({ code: Code.CANCELLED });
    const missing = all(client.watch('0198c0de-0000-7000-8000-000000000001'));
    await expect(missing).rejects.toEqual(refused(Code.NOT_FOUND, 'JOB_NOT_FOUND'));
  });
});

describe('workers', () => {
  it('are read with their jobs', async () => {
    const [worker] = (await client.listWorkers()).workers;
    const { sessionId = '' } = worker ?? {};
    const job = await client.submit('typescript-waiting');
    const held = await eventually('the worker holds the job', async () => {
      const { heldJobs } = await client.getWorker(sessionId);
      return heldJobs.length > 0 && heldJobs;
    });
    expect(held).toMatchObject([{ jobId: job.jobId }]);
    await client.cancel(job);
    expect((await client.wait(job)).state).toBe(JobState.CANCELLED);
  });

  it('are drained: they end, and a job then waits', async () => {
    const sessionId = (await client.listWorkers()).workers[0]?.sessionId ?? '';
    expect(await client.drainWorker(sessionId)).toMatchObject({ sessionId, draining: true });
    await eventually('the worker has ended', async () => (await client.listWorkers()).workers.length === 0);
    const job = await client.submit('typescript-waiting');
    expect((await client.get(job)).state).toBe(JobState.READY);
    const missing = client.getWorker('0198c0de-0000-7000-8000-000000000001');
    await expect(missing).rejects.toEqual(refused(Code.NOT_FOUND, 'SESSION_NOT_FOUND'));
  });
});

describe('circuit breakers', () => {
  it('are listed, and closed by name', async () => {
    expect((await client.listCircuitBreakers()).circuitBreakers).toEqual([]);
    const missing = client.closeCircuitBreaker('mail-server');
    await expect(missing).rejects.toEqual(refused(Code.NOT_FOUND, 'CIRCUIT_BREAKER_NOT_FOUND'));
  });
});

describe('the namespace', () => {
  it('returns how long ended jobs are kept', async () => {
    using other = new Client({ address: deployment.replica.grpcAddress, namespace: 'other' });
    const retentionMs = async () => durationToMs((await other.getNamespace()).retention, -1);
    const before = await retentionMs();
    expect(durationToMs((await other.updateNamespace({ retentionMs: 3_600_000 })).retention, -1)).toBe(3_600_000);
    expect(await retentionMs()).toBe(3_600_000);
    await other.updateNamespace({ retentionMs: null });
    expect(await retentionMs()).toBe(before);
  });
});
