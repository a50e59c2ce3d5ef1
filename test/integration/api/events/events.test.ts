/** WatchEvents as clients see it: kept events, new events, filters, positions. */
import type { ClientReadableStream } from '@grpc/grpc-js';
import { waitReasonName } from '@muster-jobs/sdk';
import type { JobEvent } from '@muster-jobs/sdk/gen/muster/v1/event_pb';
import { EventService, type WatchEventsResponse } from '@muster-jobs/sdk/gen/muster/v1/event_service_pb';
import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { readAll } from '../base/rpc.ts';
import { outcomes } from '../base/test-worker.ts';
import { stateName, World } from '../base/world.ts';

const { watchEvents } = EventService.method;
let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

type Request = Parameters<typeof world.rpc.stream<typeof watchEvents.input, typeof watchEvents.output>>[1];

const changeOf = (event: JobEvent) =>
  `${event.revision} ${event.previousState ? stateName(event.previousState) : ''}>${stateName(event.state)}`;

/** The kept events of a job, once there are that many. */
async function kept(jobId: string, count: number, request: Request = {}): Promise<JobEvent[]> {
  return eventually(`there are ${count} events of the job`, async () => {
    const { messages, refusal } = await readAll(world.rpc.stream(watchEvents, { jobId, keptOnly: true, ...request }));
    if (refusal) throw refusal;
    const events = messages.flatMap((message) => message.events);
    return events.length >= count && events;
  });
}

function follow(call: ClientReadableStream<WatchEventsResponse>) {
  const pages: WatchEventsResponse[] = [];
  call.on('data', (page: WatchEventsResponse) => pages.push(page));
  const end = readAll(call);
  const events = () => pages.flatMap((page) => page.events);
  return { call, pages, events, end };
}

describe('WatchEvents', () => {
  it('shows why a job waits if its state says so', async () => {
    const hour = { seconds: 3_600n };
    const retryPolicy = { maxAttempts: 2, minBackoff: hour, maxBackoff: hour };
    const { worker, jobId, attempt } = await world.hold({ retryPolicy });
    await worker.report({ of: attempt, outcome: outcomes.failure() });
    await world.rpc.call(JobService.method.pauseJob, { jobId });
    const events = await kept(jobId, 3);
    expect(events.map((event) => waitReasonName(event.waitReason))).toEqual(['', 'RETRY_BACKOFF', 'JOB_PAUSED']);
  });

  it('shows that a ready job was created deferred, as its key is known to be at its limit', async () => {
    const { worker, jobId } = await world.hold({ keyLimit: { maxConcurrency: 1 } });
    const { definition } = await world.getJob(jobId);
    const waits = await world.submit(definition);
    await worker.offer(1);
    const isDeferred = async () => waitReasonName((await world.getJob(waits)).waitReason) === 'KEY_LIMIT';
    await eventually('the first is deferred', isDeferred);
    // The database commits the deferral a moment before the assigning replica knows it.
    const event = await eventually('one is created deferred', async () => {
      const [first] = await kept(await world.submit(definition), 1);
      return waitReasonName(first?.waitReason ?? 0) === 'KEY_LIMIT' ? first : undefined;
    });
    expect(changeOf(event)).toBe('1 >READY');
  });

  it('shows the life of a job: created, ended, with the database times', async () => {
    const { worker, jobId, attempt } = await world.hold();
    await worker.report({ of: attempt, outcome: outcomes.result('done') });
    const events = await kept(jobId, 2);
    expect(events.map(changeOf)).toEqual(['1 >READY', '3 ASSIGNED>SUCCEEDED']);
    const job = await world.getJob(jobId);
    expect(events[1]).toMatchObject({
      namespace: 'default',
      definition: job.definition,
      attempt: 1,
    });
    expect(events[1]?.eventTime).toEqual(job.endTime);
    expect(events[0]?.eventTime).toEqual(job.createTime);
  });

  it('shows a failure with its reason', async () => {
    const { worker, jobId, attempt } = await world.hold({ retryPolicy: { maxAttempts: 1 } });
    await worker.report({ of: attempt, outcome: outcomes.failure() });
    const [event] = await kept(jobId, 1, { states: [JobState.FAILED] });
    const { outcome } = await world.getJob(jobId);
    expect(outcome.case).toBe('failure');
    const { type, message } = outcome.value as { type: string; message: string };
    expect(event?.failure).toMatchObject({ type, message, stackTrace: '' });
  });

  it('shows future events until the caller leaves', async () => {
    const definition = await world.define();
    const before = await world.submit(definition);
    await kept(before, 1);
    const { call, events, end } = follow(world.rpc.stream(watchEvents, {}));
    // Events from before the start of the watch are not delivered.
    const jobId = await eventually('the watch shows a job', async () => {
      const made = await world.submit(definition);
      await kept(made, 1);
      return events().find((event) => event.jobId === made)?.jobId;
    });
    await world.rpc.call(JobService.method.cancelJob, { jobId });
    await eventually('its end', () => events().some((event) => changeOf(event) === '2 READY>CANCELLED'));
    expect(events().some((event) => event.jobId === before)).toBe(false);
    call.cancel();
    expect((await end).refusal?.code).toBe(Code.CANCELLED);
  });

  it('continues after a position', async () => {
    const definition = await world.define();
    const jobs = [await world.submit(definition)];
    await kept(jobs[0] as string, 1);
    const { messages } = await readAll(world.rpc.stream(watchEvents, { keptOnly: true }));
    const position = messages.at(-1)?.position as bigint;
    jobs.push(await world.submit(definition));
    await kept(jobs[1] as string, 1);
    const { call, events } = follow(world.rpc.stream(watchEvents, { afterPosition: position }));
    await eventually('the watch shows the second job', () => events().some((event) => event.jobId === jobs[1]));
    expect(events().some((event) => event.jobId === jobs[0])).toBe(false);
    call.cancel();
  });

  it('shows the events of one namespace only', async () => {
    const jobId = await world.submit(await world.define());
    await kept(jobId, 1);
    const { messages } = await readAll(world.rpc.stream(watchEvents, { namespace: 'other', keptOnly: true }));
    expect(messages.map((message) => message.events)).toEqual([[]]);
  });

  it.each<[string, Request, number, string]>([
    ['a negative position', { afterPosition: -1n }, Code.INVALID_ARGUMENT, 'after_position'],
    ['a state without events', { states: [JobState.RUNNING] }, Code.INVALID_ARGUMENT, 'states'],
    ['a state that is not known', { states: [99 as JobState] }, Code.INVALID_ARGUMENT, 'states'],
    ['a job that has no id', { jobId: 'x' }, Code.INVALID_ARGUMENT, 'job_id'],
    ['an invalid namespace', { namespace: 'No' }, Code.INVALID_ARGUMENT, 'namespace'],
    ['a position that never was', { afterPosition: 1n << 40n }, Code.OUT_OF_RANGE, ''],
  ])('refuses %s', async (_what, request, code, field) => {
    const { refusal } = await readAll(world.rpc.stream(watchEvents, request));
    expect(refusal?.code).toBe(code);
    expect(refusal?.fields ?? []).toEqual(field ? [field] : []);
    if (!field) expect(refusal?.reason).toBe('EVENT_POSITION_GONE');
  });
});
