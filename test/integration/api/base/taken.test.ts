/** Rows of the bad-input catalogue that must be accepted on both ports: odd, but valid. */

import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { ScheduleService } from '@muster-jobs/sdk/gen/muster/v1/schedule_service_pb';
import { WorkerService } from '@muster-jobs/sdk/gen/muster/v1/worker_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runsAll } from '../../../support/run/cases.ts';
import type { Rpc } from './rpc.ts';
import { WebClient } from './web-clients.ts';
import { World } from './world.ts';

const { submitJob, getJob, cancelJob, listJobs, pauseJob } = JobService.method;
const { applyJobDefinition } = JobDefinitionService.method;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

/** The common part of both kinds of client. */
type Caller = Pick<Rpc, 'call'>;

const ports: readonly (readonly [string, () => Caller])[] = [
  ['gRPC', () => world.rpc],
  ['HTTP', () => new WebClient(world.replica.httpAddress, 'Connect JSON') as Caller],
];

const payloads: Record<string, Uint8Array> = {
  'bytes at random': Uint8Array.from({ length: 4_096 }, (_, i) => (i * 167 + (i >> 3)) & 255),
  'JSON 100,000 levels deep': Buffer.from('['.repeat(100_000)),
  'a number that is too large': Buffer.from('1e200000'),
  'a number that is too exact': Buffer.from('{"n":9007199254740993}'),
  'a prototype': Buffer.from('{"__proto__":{"x":1}}'),
};
const odd = [
  "'; DROP TABLE jobs; --",
  '\\',
  '{"a"}',
  'NULL',
  '$1',
  '%s',
  '<script>alert(1)</script>',
  'ﬀ 𝒳 \u202e',
  ' ',
];

describe.each(ports)('valid input over %s', (_port, caller) => {
  it('B31: returns the same job for the same key and content', async () => {
    const definition = await world.define();
    const job = { definition, idempotencyKey: `same-${definition}`, labels: { a: '1' } };
    const first = await caller().call(submitJob, { job });
    expect(first.existing).toBe(false);
    expect(await caller().call(submitJob, { job })).toMatchObject({ jobId: first.jobId, existing: true });
  });

  it('B55: can be a schedule of leap days, which has its times', async () => {
    const times = { crons: ['0 0 29 2 *'] };
    const afterTime = { seconds: BigInt(Date.UTC(2026, 0, 1) / 1_000) };
    const found = await caller().call(ScheduleService.method.previewSchedule, { times, afterTime, count: 2 });
    const seconds = [Date.UTC(2028, 1, 29), Date.UTC(2032, 1, 29)].map((ms) => BigInt(ms / 1_000));
    expect(found.times.map((time) => time.seconds)).toEqual(seconds);
  });

  it.runIf(runsAll)('B48: can be a workflow of 10,000 steps in a chain, and others are served meanwhile', async () => {
    const definition = await world.define();
    const steps = Array.from({ length: 10_000 }, (_, i) => ({
      name: `s${i}`,
      definition,
      needs: i === 0 ? [] : [`s${i - 1}`],
      ...(i === 0 ? {} : { input: `{"before": steps.s${i - 1}.output, "all": workflow.input}` }),
    }));
    const wanted = { name: `${definition}-flow`, body: { case: 'workflow', value: { steps } } } as const;
    let [isDone, served] = [false, 0];
    const applying = caller()
      .call(applyJobDefinition, { definition: wanted })
      .finally(() => {
        isDone = true;
      });
    for (; !isDone; served++) await caller().call(listJobs, { pageSize: 1 });
    const { definition: applied, created } = await applying;
    expect([created, applied?.body.case === 'workflow' && applied.body.value.steps.length]).toEqual([true, 10_000]);
    expect(served).toBeGreaterThan(3);
    expect((await caller().call(applyJobDefinition, { definition: applied })).created).toBe(false);
  });

  it.each(Object.entries(payloads))('B35: of %s is returned byte for byte', async (_what, data) => {
    const { jobId } = await caller().call(submitJob, { job: { definition: await world.define(), input: { data } } });
    const { job } = await caller().call(getJob, { jobId });
    expect(Buffer.compare(job?.input?.data ?? new Uint8Array(1), data)).toBe(0);
  });

  it('B40: with text that means something elsewhere is kept unchanged, in every text field', async () => {
    const name = await world.define();
    const text = `${name} ${odd.join(' ')}`;
    const labels = Object.fromEntries([name, ...odd].map((value, i) => [`key-${i}`, value]));
    const body = { case: 'task', value: {} } as const;
    const retryPolicy = { nonRetryableTypes: odd };
    const { definition } = await caller().call(applyJobDefinition, {
      definition: { name, body, description: text, labels, retryPolicy },
    });
    expect(definition).toMatchObject({ description: text, labels, retryPolicy });

    const input = { contentType: text.slice(0, 100), metadata: { [text]: text } };
    const job = { definition: name, labels, idempotencyKey: text, input };
    const { jobId } = await caller().call(submitJob, { job });
    expect((await caller().call(submitJob, { job })).existing).toBe(true);
    await caller().call(pauseJob, { jobId, reason: text });
    const stored = (await caller().call(getJob, { jobId })).job;
    expect(stored).toMatchObject({ labels, idempotencyKey: text, input });
    expect(stored?.stateReason).toContain(text);
    const found = await caller().call(listJobs, { filter: { labels } });
    expect(found.jobs.map((one) => one.jobId)).toEqual([jobId]);
    await caller().call(cancelJob, { jobId, reason: text });
    expect((await caller().call(getJob, { jobId })).job?.cancellation?.reason).toBe(text);
  });

  it('B42: with a page size of 1,000,000,000 returns at most 1,000 items', async () => {
    const { workers } = await caller().call(WorkerService.method.listWorkers, { pageSize: 1_000_000_000 });
    expect(workers.length).toBeLessThanOrEqual(1_000);
  });

  it('B65: can cancel a cancelled job again, which changes nothing', async () => {
    const jobId = await world.submit(await world.define());
    const first = await caller().call(cancelJob, { jobId, reason: 'once' });
    expect(first.job?.state).toBe(JobState.CANCELLED);
    const again = await caller().call(cancelJob, { jobId, reason: 'twice' });
    expect(again.job).toEqual(first.job);
  });
});

it('an idempotency key is shared by both ports', async () => {
  const job = { definition: await world.define(), idempotencyKey: 'both' };
  const [first, second] = [
    await ports[0]?.[1]().call(submitJob, { job }),
    await ports[1]?.[1]().call(submitJob, { job }),
  ];
  expect(second).toMatchObject({ jobId: first?.jobId, existing: true });
});
