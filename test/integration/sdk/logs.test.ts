/** The logs of handlers in each language, read by a client from a real control plane. */
import type { LogRecord } from '@muster-jobs/sdk';
import { JobState, LogRecordLevel } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/base/eventually.ts';
import { Deployment, languages } from './deployment.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.start();
});

afterAll(() => deployment?.stop());

async function all(records: AsyncIterable<LogRecord>): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for await (const record of records) found.push(record);
  return found;
}

describe.each(languages)('logs of a handler in %s', (language) => {
  const chatty = `${language}-chatty`;
  const waiting = `${language}-waiting`;

  beforeAll(async () => {
    const retryPolicy = { minBackoffMs: 1, maxBackoffMs: 1 };
    await deployment.client.applyDefinition({ name: chatty, retryPolicy });
    await deployment.client.applyDefinition({ name: waiting });
    await deployment.startWorker(language);
  });

  it('are complete when the job has ended, separately for each attempt, however short it was', async () => {
    const { client } = deployment;
    const job = await client.submit(chatty, { lines: 3 });
    expect(await client.wait(job)).toMatchObject({ state: JobState.SUCCEEDED, attemptCount: 2 });
    const records = await all(client.logs(job));
    expect(records.map(({ message }) => message)).toEqual([
      'attempt 1, line 1',
      'attempt 1, line 2',
      'attempt 1, line 3',
      'attempt 2, line 1',
      'attempt 2, line 2',
      'attempt 2, line 3',
      'ready',
    ]);
    expect(records.every(({ skippedCount: skipped, logTime }) => skipped === 0n && logTime !== undefined)).toBe(true);
    expect(records.at(-1)).toMatchObject({ attempt: 2, sequence: 4n, level: LogRecordLevel.WARN });
    expect(records[1]).toMatchObject({ attempt: 1, level: LogRecordLevel.INFO, fields: { i: '2' } });
    expect(await all(client.logs(job, { attempt: 2, pageSize: 1 }))).toEqual(records.slice(3));
  });

  it('of a flood are the newest', async () => {
    const { client } = deployment;
    const job = await client.submit(chatty, { lines: 20_000 });
    await client.wait(job);
    const records = await all(client.logs(job, { attempt: 2 }));
    expect(records.at(-1)).toMatchObject({ message: 'ready', sequence: 20_001n });
    const skipped = records.reduce((sum, record) => sum + record.skippedCount, 0n);
    expect(skipped + BigInt(records.length)).toBe(20_001n);
    expect(skipped).toBeGreaterThan(10_000n);
  });

  it('can be followed while the handler runs', async () => {
    const { client } = deployment;
    const job = await client.submit(waiting);
    const seen: LogRecord[] = [];
    const following = (async () => {
      for await (const record of client.logs(job, { follow: true })) seen.push(record);
    })();
    await eventually('the line arrives while the job runs', () => seen.length > 0);
    expect(seen[0]).toMatchObject({ message: 'waiting', level: LogRecordLevel.DEBUG });
    await client.cancel(job);
    await following;
    expect(seen).toHaveLength(1);
    expect((await client.get(job)).state).toBe(JobState.CANCELLED);
  });
});
