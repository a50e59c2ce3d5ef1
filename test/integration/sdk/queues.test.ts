/** What the client asks of queues, against a real control plane. */
import { Client, Code, JobState, type MusterError } from '@muster/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { Deployment } from './deployment.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.start();
});

afterAll(() => deployment?.stop());

const refused = (code: number, reason: string) => expect.objectContaining({ code, reason });

it('a queue is made, read, changed, listed and deleted', async () => {
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

it('a queue is bounded, and refuses with when to come again', async () => {
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

it('a queue is held and let go, and counts its jobs', async () => {
  const { client } = deployment;
  await client.applyDefinition({ name: 'parcel', queue: 'parcels' });
  const job = await client.submit('parcel');
  expect(await client.pauseQueue('parcels', 'no lorry')).toMatchObject({ paused: true, pauseReason: 'no lorry' });
  await eventually('the job is counted', async () => (await client.getQueue('parcels')).counts?.ready === 1n);
  await expect(client.deleteQueue('parcels')).rejects.toEqual(refused(Code.FAILED_PRECONDITION, 'QUEUE_NOT_EMPTY'));
  expect(await client.resumeQueue('parcels')).toMatchObject({ paused: false, pauseReason: '' });
  expect((await client.get(job)).state).toBe(JobState.READY);
});
