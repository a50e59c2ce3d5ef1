/** ListAttemptLogs, with the records that heartbeats and reports deliver. */

import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { LogLevel } from '@muster-jobs/sdk/gen/muster/v1/log_record_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { uuidFromBytes } from '../../../../server/domain/base/uuid.ts';
import { outcomes } from '../base/test-worker.ts';
import { type Held, World } from '../base/world.ts';

const { listAttemptLogs, eraseJob } = JobService.method;
const { reportAttempts } = SessionService.method;
let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

const record = (sequence: number, message = `line ${sequence}`) => ({
  sequence: BigInt(sequence),
  logTime: { seconds: 1_700_000_000n, nanos: 123_000_000 },
  level: LogLevel.INFO,
  message,
});

const beatWith = ({ worker, attempt }: Held, ...logs: object[]) =>
  worker.beat({ progress: [{ jobId: attempt.jobId, attempt: attempt.attempt, logs }] });
const reportWith = ({ worker, attempt: { jobId, attempt } }: Held, ...logs: object[]) =>
  world.rpc.call(reportAttempts, {
    sessionId: worker.sessionId,
    reports: [{ jobId, attempt, outcome: outcomes.result('done'), logs }],
  });
const list = (jobId: string, more: object = {}) => world.rpc.call(listAttemptLogs, { jobId, ...more });
const numbersOf = async (jobId: string) =>
  (await list(jobId)).records.map(
    ({ attempt, sequence, skippedCount: skipped }) => `${attempt}.${sequence}+${skipped}`,
  );

describe('ListAttemptLogs', () => {
  it('shows the records of heartbeats and of the report, once each, complete when the job has ended', async () => {
    const held = await world.hold();
    await beatWith(held, record(1), { ...record(2), level: LogLevel.ERROR, fields: { rows: '7' }, truncated: true });
    expect(await list(held.jobId)).toMatchObject({
      records: [
        { sequence: 1n, attempt: 1, skippedCount: 0n, level: LogLevel.INFO, message: 'line 1', truncated: false },
        {
          sequence: 2n,
          level: LogLevel.ERROR,
          fields: { rows: '7' },
          truncated: true,
          logTime: { nanos: 123_000_000 },
        },
      ],
      nextPageToken: '',
      ended: false,
    });
    await beatWith(held, record(2), record(3));
    await reportWith(held, record(3), record(4));
    expect(await reportWith(held, record(3), record(4))).toMatchObject({ results: [2] });
    expect((await list(held.jobId)).ended).toBe(true);
    expect(await numbersOf(held.jobId)).toEqual(['1.1+0', '1.2+0', '1.3+0', '1.4+0']);
  });

  it('shows records of an update without progress, which changes nothing else', async () => {
    const held = await world.hold();
    const before = await world.getJob(held.jobId);
    await beatWith(held, record(1));
    expect(await world.getJob(held.jobId)).toEqual(before);
  });

  it('keeps the newest records of a flood, cuts long lines, and counts the missing ones', async () => {
    const held = await world.hold();
    await beatWith(held, ...Array.from({ length: 500 }, (_, i) => record(i + 1, 'x'.repeat(1_000))));
    const long = { ...record(501, 'ä'.repeat(5_000)), fields: { a: 'b' } };
    await beatWith(held, { ...long, sequence: 510n });
    const { records } = await list(held.jobId, { pageSize: 1_000 });
    expect(records.length).toBeGreaterThan(45);
    expect(records.length).toBeLessThan(66);
    expect(records[0]?.skippedCount).toBe(BigInt(Number(records[0]?.sequence) - 1));
    expect(records.at(-1)).toMatchObject({ sequence: 510n, skippedCount: 9n, truncated: true, fields: {} });
    expect(records.at(-1)?.message).toBe('ä'.repeat(4_096));
  });

  it('returns pages, and continues after the last page when there are more records', async () => {
    const held = await world.hold();
    await beatWith(held, ...Array.from({ length: 120 }, (_, i) => record(i + 1)));
    const first = await list(held.jobId);
    expect([first.records.length, first.resumeToken]).toEqual([50, first.nextPageToken]);
    const second = await list(held.jobId, { pageToken: first.nextPageToken, pageSize: 100 });
    expect([second.records[0]?.sequence, second.records.length, second.nextPageToken]).toEqual([51n, 70, '']);
    const none = await list(held.jobId, { pageToken: second.resumeToken });
    expect([none.records, none.ended]).toEqual([[], false]);
    await reportWith(held, record(121));
    const last = await list(held.jobId, { pageToken: none.resumeToken });
    expect(last).toMatchObject({ records: [{ sequence: 121n, skippedCount: 0n }], ended: true });
  });

  it('refuses a page token of another job, attempt or RPC', async () => {
    const [held, other] = [await world.hold(), await world.hold()];
    await beatWith(held, record(1), record(2));
    const { resumeToken } = await list(held.jobId, { pageSize: 1 });
    for (const request of [
      { jobId: other.jobId, pageToken: resumeToken },
      { jobId: held.jobId, attempt: 1, pageToken: resumeToken },
      { jobId: held.jobId, pageToken: `${resumeToken}x` },
    ])
      expect(await world.rpc.refused(listAttemptLogs, request)).toMatchObject({
        code: Code.INVALID_ARGUMENT,
        fields: ['page_token'],
      });
  });

  it('shows the records of each attempt of a retried job separately', async () => {
    const definition = await world.define({ retryPolicy: { minBackoff: { nanos: 1_000_000 }, jitter: 2 } });
    const worker = await world.openWorker(definition);
    const jobId = await world.submit(definition);
    const [first] = (await worker.take(1)) as [Assignment];
    await beatWith({ worker, jobId, attempt: first }, record(1), record(2));
    await worker.report({ of: first, outcome: outcomes.failure() });
    const [second] = (await worker.take(1)) as [Assignment];
    expect(uuidFromBytes(second.jobId)).toBe(jobId);
    await beatWith({ worker, jobId, attempt: first }, record(3));
    await reportWith({ worker, jobId, attempt: second }, record(1));
    expect(await numbersOf(jobId)).toEqual(['1.1+0', '1.2+0', '2.1+0']);
    expect((await list(jobId, { attempt: 2 })).records).toMatchObject([{ attempt: 2, sequence: 1n }]);
    expect((await list(jobId, { attempt: 3 })).records).toEqual([]);
    expect(await world.getJob(jobId)).toMatchObject({ state: JobState.SUCCEEDED, attemptCount: 2 });
  });

  it('is empty after the job was erased, and refused for an unknown job', async () => {
    const held = await world.hold();
    await reportWith(held, record(1));
    await world.rpc.call(eraseJob, { jobId: held.jobId, reason: 'asked for' });
    expect(await list(held.jobId)).toMatchObject({ records: [], ended: true });
    const jobId = '0198c0de-0000-7000-8000-000000000001';
    for (const request of [{ jobId }, { jobId: held.jobId, namespace: 'other' }])
      expect(await world.rpc.refused(listAttemptLogs, request)).toMatchObject({
        code: Code.NOT_FOUND,
        reason: 'JOB_NOT_FOUND',
      });
  });

  it('does not show records for an attempt of another session', async () => {
    const [held, other] = [await world.hold(), await world.hold()];
    await beatWith({ ...other, attempt: held.attempt }, record(1));
    expect((await list(held.jobId)).records).toEqual([]);
  });
});
