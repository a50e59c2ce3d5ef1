/** WatchAttemptLogs on both ports: kept and new records, in order and once each, to the end of the job. */
import { create } from '@bufbuild/protobuf';
import type { ClientReadableStream } from '@grpc/grpc-js';
import {
  JobService,
  WatchAttemptLogsRequestSchema,
  type WatchAttemptLogsResponse,
} from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { LogLevel, type LogRecord } from '@muster-jobs/sdk/gen/muster/v1/log_record_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { readAll } from '../base/rpc.ts';
import { outcomes } from '../base/test-worker.ts';
import { dialects, WebClient } from '../base/web-clients.ts';
import { type Held, World } from '../base/world.ts';

const { watchAttemptLogs, listAttemptLogs, cancelJob } = JobService.method;
let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

const record = (sequence: number, message = `line ${sequence}`) => ({
  sequence: BigInt(sequence),
  logTime: { seconds: 1_700_000_000n },
  level: LogLevel.INFO,
  message,
});

const beatWith = ({ worker, attempt }: Held, ...logs: object[]) =>
  worker.beat({ progress: [{ jobId: attempt.jobId, attempt: attempt.attempt, logs }] });
const reportWith = ({ worker, attempt: { jobId, attempt } }: Held, ...logs: object[]) =>
  world.rpc.call(SessionService.method.reportAttempts, {
    sessionId: worker.sessionId,
    reports: [{ jobId, attempt, outcome: outcomes.result('done'), logs }],
  });
const numberOf = ({ attempt, sequence, skippedCount: skipped }: LogRecord) => `${attempt}.${sequence}+${skipped}`;

/** Collects the messages of a stream, and its end. */
function follow(call: ClientReadableStream<WatchAttemptLogsResponse>) {
  const messages: WatchAttemptLogsResponse[] = [];
  call.on('data', (message: WatchAttemptLogsResponse) => messages.push(message));
  const end = readAll(call);
  const numbers = () => messages.flatMap(({ records }) => records.map(numberOf));
  const shows = (...expected: string[]) =>
    eventually(`it shows ${expected.join()}`, () => numbers().join() === expected.join());
  return { messages, numbers, shows, end };
}

const watch = (jobId: string, more: object = {}) => follow(world.rpc.stream(watchAttemptLogs, { jobId, ...more }));

describe('WatchAttemptLogs', () => {
  it('answers at once, then delivers each record once, and the end with the last ones', async () => {
    const held = await world.hold();
    const stream = watch(held.jobId);
    await eventually('the first answer', () => stream.messages.length === 1);
    expect(stream.messages[0]).toMatchObject({ records: [], ended: false });
    await beatWith(held, record(1), record(2));
    await stream.shows('1.1+0', '1.2+0');
    await beatWith(held, record(2), record(3), record(7));
    await stream.shows('1.1+0', '1.2+0', '1.3+0', '1.7+3');
    await reportWith(held, record(7), record(8));
    expect((await stream.end).refusal).toBeUndefined();
    expect(stream.numbers()).toEqual(['1.1+0', '1.2+0', '1.3+0', '1.7+3', '1.8+0']);
    expect(stream.messages.map(({ ended }) => ended).lastIndexOf(false)).toBe(stream.messages.length - 2);
  });

  it('continues after a token of its own or of a page', async () => {
    const held = await world.hold();
    await beatWith(held, record(1), record(2), record(3));
    const { resumeToken } = await world.rpc.call(listAttemptLogs, { jobId: held.jobId, pageSize: 1 });
    const first = watch(held.jobId, { resumeToken });
    await first.shows('1.2+0', '1.3+0');
    await reportWith(held, record(4));
    await first.end;
    const again = watch(held.jobId, { resumeToken: first.messages[0]?.resumeToken });
    await again.end;
    expect(again.numbers()).toEqual(['1.4+0']);
    const page = await world.rpc.call(listAttemptLogs, {
      jobId: held.jobId,
      pageToken: first.messages[0]?.resumeToken ?? '',
    });
    expect(page.records.map(numberOf)).toEqual(['1.4+0']);
  });

  it('follows a job from attempt to attempt, or one attempt to its end', async () => {
    const definition = await world.define({ retryPolicy: { minBackoff: { nanos: 1_000_000 }, jitter: 2 } });
    const worker = await world.openWorker(definition);
    const jobId = await world.submit(definition);
    const [first] = (await worker.take(1)) as [Assignment];
    const [all, one] = [watch(jobId), watch(jobId, { attempt: 1 })];
    await beatWith({ worker, jobId, attempt: first }, record(1));
    await worker.report({ of: first, outcome: outcomes.failure() });
    const [second] = (await worker.take(1)) as [Assignment];
    expect((await one.end).refusal).toBeUndefined();
    expect(one.numbers()).toEqual(['1.1+0']);
    await reportWith({ worker, jobId, attempt: second }, record(1));
    expect((await all.end).refusal).toBeUndefined();
    expect(all.numbers()).toEqual(['1.1+0', '2.1+0']);
  });

  it.each(dialects)('works over HTTP as well: %s', async (dialect) => {
    const held = await world.hold();
    const { transport } = new WebClient(world.replica.httpAddress, dialect);
    const requests = (async function* () {
      yield create(WatchAttemptLogsRequestSchema, { jobId: held.jobId });
    })();
    const { message } = await transport.stream(watchAttemptLogs, undefined, undefined, {}, requests);
    const numbers: string[] = [];
    let answers = 0;
    for await (const { records, ended } of message) {
      numbers.push(...records.map(numberOf));
      if (++answers === 1) await beatWith(held, record(1));
      else if (!ended) await reportWith(held, record(2));
    }
    expect(numbers).toEqual(['1.1+0', '1.2+0']);
  });

  it('keeps the newest records for a slow reader, and counts the missing ones', async () => {
    const held = await world.hold();
    const call = world.rpc.stream(watchAttemptLogs, { jobId: held.jobId });
    call.pause();
    await eventually('the first message', () => call.read());
    const text = 'x'.repeat(4_000);
    for (let from = 1; from <= 120; from += 15)
      await beatWith(held, ...Array.from({ length: 15 }, (_, i) => record(from + i, text)));
    await world.rpc.call(cancelJob, { jobId: held.jobId });
    await held.worker.report({ of: held.attempt, outcome: outcomes.cancelled });
    const { messages, refusal } = await readAll(call);
    expect(refusal).toBeUndefined();
    const records = messages.flatMap((message) => message.records);
    const befores = records.map(({ sequence, skippedCount: skipped }) => sequence - skipped - 1n);
    expect(befores).toEqual([0n, ...records.slice(0, -1).map(({ sequence }) => sequence)]);
    expect(records.at(-1)?.sequence).toBe(120n);
    expect(messages.at(-1)?.ended).toBe(true);
  });

  it('is refused for an unknown job or attempt, and for a token that it has not issued', async () => {
    const jobId = await world.submit(await world.define());
    const refused = async (request: object) => (await readAll(world.rpc.stream(watchAttemptLogs, request))).refusal;
    expect(await refused({ jobId, namespace: 'other' })).toMatchObject({
      code: Code.NOT_FOUND,
      reason: 'JOB_NOT_FOUND',
    });
    expect(await refused({ jobId: 'x', namespace: 'No', attempt: -1, resumeToken: 'x' })).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      fields: ['attempt', 'resume_token', 'namespace', 'job_id'],
    });
    const { resumeToken } = await world.rpc.call(listAttemptLogs, { jobId });
    expect(await refused({ jobId, attempt: 1, resumeToken })).toMatchObject({ fields: ['resume_token'] });
  });
});
