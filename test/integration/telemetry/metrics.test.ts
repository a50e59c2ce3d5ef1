/** The metrics of a real replica agree with its jobs, and docs/metrics.md lists them all and no others. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import { ExhaustionAction } from '@muster-jobs/sdk/gen/muster/v1/retry_policy_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Family, parseMetrics, sumOf } from '../../../server/cli/top/metrics-text.ts';
import { metrics } from '../../../server/telemetry/metrics/catalogue.ts';
import { prometheusName } from '../../../server/telemetry/metrics/prometheus.ts';
import { version } from '../../../server/version.ts';
import { eventually } from '../../support/base/eventually.ts';
import { readMetrics } from '../../support/telemetry/replica-metrics.ts';
import { offerOf, outcomes, type TestWorker } from '../api/base/test-worker.ts';
import { World } from '../api/base/world.ts';

const { result, failure, released, cancelled } = outcomes;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

/** Waits until the metrics, which are refreshed once per second, satisfy the probe. */
function eventuallyMetrics<T>(what: string, probe: (all: Map<string, Family>) => T) {
  return eventually(what, async () => probe(await readMetrics(world.replica.httpAddress)), { everyMs: 200 });
}

async function takeOne(worker: TestWorker): Promise<Assignment> {
  const [attempt] = await worker.take(1);
  if (!attempt) throw new Error('nothing was assigned');
  return attempt;
}

const idOf = (jobId: string) => ({ jobId });

describe('job metrics', () => {
  it('count and time the outcomes of jobs', async () => {
    const definition = await world.define({ retryPolicy: { maxAttempts: 2, minBackoff: { nanos: 1_000_000 } } });
    const worker = await world.openWorker(definition);
    const queue = { queue: 'mails' };
    const ids = [];
    for (let n = 0; n < 4; n++) ids.push(await world.submit(definition, queue));
    const [good, bad, refused, stopped] = await worker.take(4);
    await worker.report({ of: good as Assignment, outcome: result('1') });
    await worker.report({ of: refused as Assignment, outcome: released(1) });
    await worker.report({ of: await takeOne(worker), outcome: result('2') });
    await worker.report({ of: bad as Assignment, outcome: failure() });
    await worker.report({ of: await takeOne(worker), outcome: failure() });
    const stoppedId = (await Promise.all(ids.map((id) => world.getJob(id)))).find((job) => job.endTime === undefined);
    await world.rpc.call(JobService.method.cancelJob, idOf(stoppedId?.jobId ?? ''));
    await worker.report({ of: stopped as Assignment, outcome: cancelled });
    const labels = { muster_namespace: 'default', muster_queue: 'mails', muster_definition: definition };
    const all = await eventuallyMetrics('the last end is counted', (families) => {
      const ended = sumOf(families, 'muster_job_ended_total', labels);
      return ended === 4 && families;
    });
    const value = (name: string, more: Record<string, string> = {}) => sumOf(all, name, { ...labels, ...more });
    expect(value('muster_job_submitted_total')).toBe(4);
    const ended = (state: string, cause: string) =>
      value('muster_job_ended_total', { muster_job_state: state, muster_failure_cause: cause });
    expect([ended('succeeded', 'none'), ended('failed', 'application'), ended('cancelled', 'cancelled')]).toEqual([
      2, 1, 1,
    ]);
    expect(value('muster_job_wait_duration_seconds_count')).toBe(4);
    expect(value('muster_job_duration_seconds_count', { muster_job_state: 'succeeded' })).toBe(2);
    const attempts = ['succeeded', 'failed', 'released', 'cancelled'].map((outcome) =>
      value('muster_job_attempt_duration_seconds_count', { muster_attempt_outcome: outcome }),
    );
    expect(attempts).toEqual([2, 2, 1, 1]);
    expect(value('muster_job_duration_seconds_bucket', { le: '+Inf' })).toBe(4);
    expect(sumOf(all, 'muster_assignment_refused_total', { muster_release_reason: 'no_slot' })).toBe(1);
    expect(value('muster_job_duration_seconds_sum')).toBeGreaterThan(0);
  });

  it('count a delay as no wait, and a failed submission as none', async () => {
    const definition = await world.define();
    const worker = await world.openWorker(definition);
    await world.submit(definition, { start: { case: 'delay', value: { seconds: 2n } } } as object);
    await world.rpc.refused(JobService.method.submitJob, { job: { definition, queue: 'No' } });
    await worker.report({ of: await takeOne(worker), outcome: result() });
    const labels = { muster_definition: definition };
    const all = await eventuallyMetrics('it is counted', (families) => {
      return sumOf(families, 'muster_job_ended_total', labels) === 1 && families;
    });
    const sum = (name: string) => sumOf(all, `${name}_sum`, labels) ?? Number.NaN;
    expect(sum('muster_job_duration_seconds')).toBeGreaterThan(1.9);
    expect(sum('muster_job_wait_duration_seconds')).toBeLessThan(sum('muster_job_duration_seconds') - 1.9);
    expect(sumOf(all, 'muster_job_submitted_total', labels)).toBe(1);
  });
});

it('step metrics count cache hits and misses', async () => {
  const definition = await world.define();
  const worker = await world.openWorker(definition);
  const step = { name: 'a', definition, cache: { maxAge: { seconds: 3_600n } } };
  const flow = await world.define({ body: { case: 'workflow', value: { steps: [step], output: 'true' } } });
  const polls = (result: string) =>
    eventuallyMetrics(`a ${result} is counted`, (families) => {
      return sumOf(families, 'muster_step_cache_lookups_total', { muster_step_cache_result: result }) === 1;
    });
  await world.submit(flow);
  await worker.report({ of: await takeOne(worker), outcome: result('1') });
  await polls('miss');
  const succeeded = { muster_definition: flow, muster_job_state: 'succeeded' };
  await eventuallyMetrics('the workflow has ended', (families) => {
    return sumOf(families, 'muster_job_ended_total', succeeded) === 1;
  });
  await world.submit(flow);
  await polls('hit');
  await polls('miss');
});

describe('queue metrics', () => {
  it('show the backlog, its age, and paused queues', async () => {
    const definition = await world.define();
    for (let n = 0; n < 3; n++) await world.submit(definition, { queue: 'waiting' });
    const labels = { muster_queue: 'waiting' };
    const ready = { ...labels, muster_queue_jobs_state: 'ready' };
    const first = await eventuallyMetrics('they are counted', (families) => {
      return (
        sumOf(families, 'muster_queue_jobs', ready) === 3 &&
        sumOf(families, 'muster_queue_oldest_ready_age_seconds', labels)
      );
    });
    await eventuallyMetrics('they get older', (families) => {
      return (sumOf(families, 'muster_queue_oldest_ready_age_seconds', labels) ?? 0) > first;
    });
    await world.rpc.call(QueueService.method.pauseQueue, { name: 'waiting' });
    await eventuallyMetrics('the pause is told', (families) => sumOf(families, 'muster_queue_paused', labels) === 1);
    await world.rpc.call(QueueService.method.updateQueue, { queue: { name: 'waiting', maxBacklog: 2n } });
    const refused = { job: { definition, queue: 'waiting' } };
    expect((await world.rpc.refused(JobService.method.submitJob, refused)).reason).toBe('QUEUE_FULL');
    const bound = { ...labels, muster_queue_bound: 'max_backlog' };
    await eventuallyMetrics('the refusal is told', (families) => {
      return sumOf(families, 'muster_submission_refused_total', bound) === 1;
    });
  });
});

describe('limit metrics', () => {
  it('show the limit, the permits in use, and the deferred jobs', async () => {
    const definition = await world.define({ maxConcurrency: 2, queue: 'narrow' });
    await world.rpc.call(QueueService.method.createQueue, { queue: { name: 'narrow', maxConcurrency: 7 } });
    const worker = await world.openWorker(definition);
    for (let n = 0; n < 3; n++) await world.submit(definition);
    const [first] = await worker.take(2);
    const reported = (all: Map<string, Family>, of: string, name: string) =>
      ['concurrency', 'in_use', 'holders'].map((what) =>
        sumOf(all, `muster_limit_${what}`, { muster_limit_of: of, muster_limit_name: name }),
      );
    const reports = (what: string, held: number) =>
      eventuallyMetrics(what, (all) => {
        const [queue, own] = [reported(all, 'queue', 'narrow'), reported(all, 'definition', definition)];
        return queue.join() === `7,${held},${held}` && own.join() === `2,${held},${held}`;
      });
    await reports('two are held', 2);
    await worker.report({ of: first as Assignment, outcome: result('1') });
    await reports('one is left', 1);
    await worker.close();
  });
});

describe('wait reason metrics', () => {
  const hour = { seconds: 3_600n };

  it('show each known reason by lane and queue', async () => {
    const definition = await world.define();
    const served = await world.define();
    const limited = await world.define({ maxConcurrency: 1 });
    const worker = await world.openWorker(served, limited);
    const queue = 'reasons';
    const submit = (of: string, changes: object = {}) => world.submit(of, { queue, ...changes });
    await submit(limited);
    await worker.take(1);
    for (const name of [definition, definition, served, limited]) await submit(name);
    await submit(definition, { start: { case: 'delay', value: hour } });
    await world.rpc.call(JobService.method.pauseJob, { jobId: await submit(definition) });
    const waiting = (all: Map<string, Family>, reason: string) =>
      sumOf(all, 'muster_queue_waiting_jobs', { muster_queue: queue, muster_wait_reason: reason });
    await eventuallyMetrics('they are counted', (all) => {
      const counted = ['no_worker', 'in_line', 'definition_limit', 'time', 'job_paused'].map((one) =>
        waiting(all, one),
      );
      return counted.join() === '2,1,1,1,1';
    });
    await world.rpc.call(QueueService.method.pauseQueue, { name: queue });
    await eventuallyMetrics('the pause is told', (all) => {
      return waiting(all, 'queue_paused') === 4 && waiting(all, 'time') === 1;
    });
  });
});

it('job metrics count those that wait for a person after their last attempt', async () => {
  const retryPolicy = { maxAttempts: 1, onExhaustion: ExhaustionAction.PAUSE };
  const { worker, attempt } = await world.hold({ retryPolicy });
  await worker.report({ of: attempt, outcome: outcomes.failure() });
  const labels = { muster_definition: attempt.definition };
  await eventuallyMetrics('it is counted', (all) => sumOf(all, 'muster_job_exhausted_total', labels) === 1);
});

it('job metrics count those that have missed their soft deadlines', async () => {
  const softDeadline = { due: { case: 'after' as const, value: { seconds: 1n } } };
  const definition = await world.define({ softDeadline });
  await world.submit(definition);
  const labels = { muster_definition: definition };
  await eventuallyMetrics('it is counted', (all) => sumOf(all, 'muster_job_soft_deadline_missed_total', labels) === 1);
});

describe('worker metrics', () => {
  it('count results that come after their attempts were closed', async () => {
    const { worker, jobId, attempt } = await world.hold();
    await world.rpc.call(JobService.method.cancelJob, { jobId, grace: { seconds: 0n } });
    await worker.report({ of: attempt, outcome: outcomes.result('late') });
    const labels = { muster_attempt_outcome: 'succeeded' };
    await eventuallyMetrics('it is counted', (all) => sumOf(all, 'muster_report_late_total', labels) === 1);
  });

  it('show sessions, slots, credits and heartbeats', async () => {
    const before = await readMetrics(world.replica.httpAddress);
    const worker = await world.openWorkerOf({ ...offerOf('nobody'), slots: 17 });
    await worker.becomeReachable();
    await worker.offer(5);
    const rise = (all: Map<string, Family>, name: string, labels = {}) =>
      (sumOf(all, name, labels) ?? 0) - (sumOf(before, name, labels) ?? 0);
    await eventuallyMetrics('it shows', (all) => {
      const connected = rise(all, 'muster_worker_sessions', { muster_session_condition: 'connected' });
      const unspent = rise(all, 'muster_credit_parked', { muster_credit_kind: 'slot' });
      return connected === 1 && rise(all, 'muster_worker_slots') === 17 && unspent === 5;
    });
    await worker.close();
    const all = await eventuallyMetrics('the end shows', (families) => {
      return rise(families, 'muster_worker_session_closed_total', { muster_session_cause: 'close' }) === 1 && families;
    });
    expect(rise(all, 'muster_worker_session_opened_total')).toBe(1);
    expect(rise(all, 'muster_worker_heartbeats_total', { muster_heartbeat_result: 'renewed' })).toBe(3);
  });

  it('count a session without pings as deaf', async () => {
    const worker = await world.openWorker('nobody');
    for (let n = 0; n < 5; n++) await worker.beat({ pingEcho: 0n });
    await eventuallyMetrics('it is deaf', (all) => {
      return sumOf(all, 'muster_worker_sessions', { muster_session_condition: 'deaf' }) === 1;
    });
    await worker.close();
  });
});

describe('replica metrics', () => {
  it('time calls by method and code, on both ports', async () => {
    await world.rpc.refused(JobService.method.getJob, { jobId: '0198c0de-0000-7000-8000-000000000001' });
    const url = new URL('/muster.v1.JobService/ListJobs', world.replica.httpAddress);
    await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    const calls = (system: string, method: string, code: string) => ({
      rpc_system_name: system,
      rpc_method: `muster.v1.JobService/${method}`,
      rpc_response_status_code: code,
    });
    await eventuallyMetrics('both are there', (all) => {
      const count = 'rpc_server_call_duration_seconds_count';
      const refused = { ...calls('grpc', 'GetJob', 'NOT_FOUND'), error_type: 'NOT_FOUND' };
      return sumOf(all, count, refused) === 1 && sumOf(all, count, calls('connectrpc', 'ListJobs', 'OK')) === 1;
    });
  });

  it('show that database and bus answer, and the number of tasks', async () => {
    const all = await readMetrics(world.replica.httpAddress);
    expect([sumOf(all, 'muster_database_up'), sumOf(all, 'muster_bus_up')]).toEqual([1, 1]);
    expect(sumOf(all, 'muster_build_info', { muster_version: version, muster_protocol_version: '1' })).toBe(1);
    expect(sumOf(all, 'target_info', { service_name: 'muster', service_version: version })).toBe(1);
    expect(sumOf(all, 'process_memory_usage_bytes')).toBeGreaterThan(10 << 20);
  });

  it('are served to GET only, and not to a page of another origin', async () => {
    const url = new URL('/metrics', world.replica.httpAddress);
    const page = await fetch(url);
    expect(page.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(parseMetrics(await page.text()).size).toBeGreaterThan(20);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    expect((await fetch(url, { headers: { origin: 'https://elsewhere.example' } })).status).toBe(403);
  });
});

describe('docs/metrics.md', () => {
  const guide = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = [...guide.matchAll(/^\| `([\w.]+)` \| `(\w+)` \| (\w+), ([^|]+) \| ([^|]*) \| ([^|]+) \|$/gm)].map(
    ([, name = '', inPrometheus = '', kind = '', unit = '', labels = '', meaning = '']) => ({
      name,
      prometheus: inPrometheus,
      kind,
      unit: unit.trim(),
      labels: [...labels.matchAll(/`([\w.]+)`/g)].map(([, label]) => label),
      hasMeaning: meaning.trim() !== '',
    }),
  );

  it('lists the instruments with their sources', () => {
    const listed = Object.values(metrics).map(({ name, kind, unit, labels }) => ({
      name,
      prometheus: prometheusName({ name, kind, unit }),
      kind,
      unit,
      labels: [...labels],
      hasMeaning: true,
    }));
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect([...rows].sort(byName)).toEqual(listed.sort(byName));
  });

  it('shows how to read them', async () => {
    const [, script = ''] = /^```sh\n(curl .*)\n```$/m.exec(guide) ?? [];
    const call = script.replace('http://127.0.0.1:7080', world.replica.httpAddress);
    const { stdout } = await promisify(execFile)('sh', ['-c', call]);
    expect(stdout).toMatch(
      /^muster_queue_jobs\{muster_namespace="default",muster_queue="\w+",muster_queue_jobs_state="ready"\} \d+$/m,
    );
  });

  it('lists the exported metrics of a server, with type and labels', async () => {
    const all = await readMetrics(world.replica.httpAddress);
    all.delete('target_info');
    expect([...all.keys()].sort()).toEqual(rows.map((row) => row.prometheus).sort());
    for (const { prometheus, kind, labels } of rows) {
      const family = all.get(prometheus);
      const known = new Set([...labels.map((label) => label?.replaceAll('.', '_')), 'le']);
      const exported = new Set(family?.samples.flatMap((sample) => Object.keys(sample.labels)));
      expect([prometheus, family?.type, [...exported].filter((label) => !known.has(label))]).toEqual([
        prometheus,
        kind,
        [],
      ]);
    }
  });
});
