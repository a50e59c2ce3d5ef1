/** Calls of the client about queues, on a real control plane. */
import { Client, Code, JobState, LimitPolicy, type MusterError } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../support/base/eventually.ts';
import { Deployment } from './deployment.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.start();
});

afterAll(() => deployment?.stop());

const refused = (code: number, reason: string) => expect.objectContaining({ code, reason });

it('a queue is created, read, changed, listed and deleted', async () => {
  const { client } = deployment;
  const made = await client.createQueue('mails', { description: 'all that is sent' });
  expect(made).toMatchObject({ name: 'mails', paused: false, description: 'all that is sent' });
  await expect(client.createQueue('mails')).rejects.toEqual(refused(Code.ALREADY_EXISTS, 'QUEUE_EXISTS'));
  const changed = await client.updateQueue('mails', { description: 'letters', etag: made.etag });
  expect(changed.description).toBe('letters');
  const stale = client.updateQueue('mails', { description: 'parcels', etag: made.etag });
  await expect(stale).rejects.toEqual(refused(Code.ABORTED, 'ETAG_STALE'));
  expect((await client.updateQueue('mails', { description: 'parcels' })).description).toBe('parcels');
  expect((await client.listQueues()).queues.map(({ name }) => name)).toEqual(['mails']);
  await client.deleteQueue('mails');
  await expect(client.getQueue('mails')).rejects.toEqual(refused(Code.NOT_FOUND, 'QUEUE_NOT_FOUND'));
});

it('a bounded queue refuses jobs with a retry delay', async () => {
  const { client } = deployment;
  await client.createQueue('small', { maxBacklog: 1, maxBacklogAgeMs: 300_000 });
  expect(await client.getQueue('small')).toMatchObject({ maxBacklog: 1n, maxBacklogAge: { seconds: 300n } });
  await client.applyDefinition({ name: 'bounded', queue: 'small' });
  await client.submit('bounded');
  using once = new Client({ address: deployment.replica.grpcAddress, retry: { maxAttempts: 1 } });
  const refusal = await once.submit('bounded').catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: Code.RESOURCE_EXHAUSTED, reason: 'QUEUE_FULL' });
  expect((refusal as MusterError).retryDelayMs).toBeGreaterThanOrEqual(1_000);
  expect((await client.updateQueue('small', { description: 'd' })).maxBacklog).toBe(1n);
  const cleared = await client.updateQueue('small', { maxBacklog: 0, maxBacklogAgeMs: null });
  expect([cleared.maxBacklog, cleared.maxBacklogAge]).toEqual([0n, undefined]);
  await client.submit('bounded');
});

it('limits and weights of a queue are set, changed and removed, as text or as messages', async () => {
  const { client } = deployment;
  const made = await client.createQueue('limited', {
    maxConcurrency: 20,
    rateLimit: { units: 100, periodMs: 60_000, burst: 20 },
    fairnessWeights: { acme: 2 },
  });
  const period = { seconds: 60n };
  expect(made).toMatchObject({ maxConcurrency: 20, rateLimit: { units: 100, period, burst: 20 } });
  expect(made.fairnessWeights).toEqual({ acme: 2 });
  const changed = await client.updateQueue('limited', { rateLimit: { units: 5, period }, fairnessWeights: { a: 3 } });
  expect(changed).toMatchObject({ maxConcurrency: 20, rateLimit: { units: 5, period, burst: 5 } });
  expect(changed.fairnessWeights).toEqual({ a: 3 });
  const bare = await client.updateQueue('limited', { maxConcurrency: 0, rateLimit: null, fairnessWeights: {} });
  expect(bare).toMatchObject({ maxConcurrency: 0, fairnessWeights: {} });
  expect(bare.rateLimit).toBeUndefined();
});

it('limits and keys of a definition are set as text or as messages; a job can have a key of its own', async () => {
  const { client } = deployment;
  const limits = {
    fairnessKey: 'labels.tenant',
    maxConcurrency: 5,
    rateLimit: { units: 100, periodMs: 60_000 },
    rateCost: 3,
    keyLimit: { key: 'input.tenant', maxConcurrency: 1, policy: 'REJECT_NEW', rateLimit: { units: 2 } },
  } as const;
  const applied = await client.applyDefinition({ name: 'limited', queue: 'fair', ...limits });
  expect(applied).toMatchObject({
    fairnessKey: 'labels.tenant',
    maxConcurrency: 5,
    rateLimit: { units: 100, period: { seconds: 60n }, burst: 100 },
    rateCost: 3,
    keyLimit: { key: 'input.tenant', maxConcurrency: 1, policy: LimitPolicy.REJECT_NEW, rateLimit: { units: 2 } },
  });
  const again = { ...limits, keyLimit: { ...limits.keyLimit, policy: LimitPolicy.REJECT_NEW } };
  expect((await client.applyDefinition({ name: 'limited', queue: 'fair', ...again })).version).toBe(1);
  expect((await client.applyDefinition(applied)).version).toBe(1);
  const wrong = { name: 'wrong', keyLimit: { maxConcurrency: 1, policy: 'NEVER' as 'WAIT' } };
  await expect(client.applyDefinition(wrong)).rejects.toThrow('there is no policy "NEVER"');
  const labels = { tenant: 'a' };
  const job = await client.submit('limited', { tenant: 'a' }, { labels });
  const own = { definition: 'limited', input: { tenant: 'b' }, labels, fairnessKey: 'mine' };
  const [other] = await client.submitMany([own]);
  expect(await client.get(job)).toMatchObject({ fairnessKey: 'a', limitKey: 'a' });
  expect(await client.get(other as typeof job)).toMatchObject({ fairnessKey: 'mine', limitKey: 'b' });
  const tooMany = client.submit('limited', { tenant: 'a' }, { labels });
  await expect(tooMany).rejects.toEqual(refused(Code.RESOURCE_EXHAUSTED, 'LIMIT_REACHED'));
});

it('a queue is paused and resumed, and counts its jobs', async () => {
  const { client } = deployment;
  await client.applyDefinition({ name: 'parcel', queue: 'parcels' });
  const job = await client.submit('parcel');
  expect(await client.pauseQueue('parcels', 'no lorry')).toMatchObject({ paused: true, pauseReason: 'no lorry' });
  await eventually('the job is counted', async () => (await client.getQueue('parcels')).counts?.ready === 1n);
  await expect(client.deleteQueue('parcels')).rejects.toEqual(refused(Code.FAILED_PRECONDITION, 'QUEUE_NOT_EMPTY'));
  expect(await client.resumeQueue('parcels')).toMatchObject({ paused: false, pauseReason: '' });
  expect((await client.get(job)).state).toBe(JobState.READY);
});
