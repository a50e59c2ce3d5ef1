/** An embedded deployment with a history: jobs in every stage, left behind by a stopped control plane. */
import { Client, type SubmittedJob, Worker } from '@muster-jobs/sdk';
import { eventually } from './eventually.ts';
import { startTestReplica } from './replica.ts';

export interface Life {
  /** SUCCEEDED, with its input as the result. */
  readonly succeeded: SubmittedJob;
  readonly failed: SubmittedJob;
  readonly cancelled: SubmittedJob;
  /** A worker runs it when the control plane stops. It has stored a checkpoint. */
  readonly running: SubmittedJob;
  /** No worker has run them. */
  readonly ready: readonly SubmittedJob[];
  /** Due only after the restart: `SCHEDULE_MS` after its submission. */
  readonly scheduled: SubmittedJob;
  /** Has the idempotency key `kept`. */
  readonly keyed: SubmittedJob;
  /** Continues a list with two jobs per page. */
  readonly pageToken: string;
}

export const SCHEDULE_MS = 20_000;

/** Every possible byte, and more bytes than PostgreSQL stores inside a row. */
export const everyByte = Uint8Array.from({ length: 200_000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);

const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };

const handlers = {
  echo: (_ctx: unknown, input: unknown) => input,
  broken: () => {
    throw new Error('it is "broken": \\x00 \n\t ü 🚲');
  },
  long: (ctx: { checkpoint(value: unknown): void; progress(fraction: number): void }) => {
    ctx.checkpoint({ at: 7 });
    ctx.progress(0.5);
    return new Promise(() => {});
  },
};

/** Creates the deployment in `dataFolder`, and leaves it there. */
export async function live(dataFolder: string): Promise<Life> {
  const replica = await startTestReplica({ dataFolder, beatMs: 200, leaseMs: 2_000 });
  const client = new Client({ address: replica.grpcAddress });
  const worker = new Worker({
    address: replica.grpcAddress,
    name: 'old',
    handlers,
    logger: { log: () => {} },
  });
  const running = worker.run();
  try {
    return await act(client, replica.httpAddress);
  } finally {
    client.close();
    // The control plane stops first, so the worker's session stays open, as after a crash.
    await replica.stop();
    await Promise.all([worker.stop({ timeoutMs: 0 }).catch(() => {}), running.catch(() => {})]);
  }
}

async function act(client: Client, httpAddress: string): Promise<Life> {
  for (const name of ['echo', 'long', 'idle']) await client.applyDefinition({ name });
  await client.applyDefinition({ name: 'broken', retryPolicy: { maxAttempts: 2, minBackoffMs: 10 } });
  await client.applyDefinition({ name: 'checked', inputJsonSchema: JSON.stringify(schema) });
  const scheduled = await client.submit('idle', { later: true }, { delayMs: SCHEDULE_MS });
  const succeeded = await client.submit('echo', everyByte, { labels: { 'a.b': 'ü "x" \\' }, priority: 7 });
  await client.wait(succeeded);
  const failed = await client.submit('broken', { n: 1 });
  await client.wait(failed);
  const cancelled = await client.submit('idle');
  await client.cancel(cancelled, 'not wanted');
  const keyed = await client.submit('idle', { a: 1 }, { idempotencyKey: 'kept' });
  const ready = await client.submitMany(Array.from({ length: 30 }, (_, n) => ({ definition: 'idle', input: { n } })));
  const long = await client.submit('long');
  // Sent in the same heartbeat as the checkpoint.
  await eventually('the checkpoint is stored', async () => (await client.get(long)).progress?.fraction === 0.5);
  const { nextPageToken } = await callJobs(httpAddress, 'ListJobs', { pageSize: 2 });
  return { succeeded, failed, cancelled, running: long, ready, scheduled, keyed, pageToken: String(nextPageToken) };
}

/** Calls an RPC of the job service as JSON. */
export async function callJobs(httpAddress: string, method: string, request: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${httpAddress}/muster.v1.JobService/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  const body = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${method}: ${JSON.stringify(body)}`);
  return body;
}
