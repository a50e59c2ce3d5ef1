/**
 * Events under SIGKILLs of every process on their way: the replica before and after it publishes, the nats-server, and
 * the example's consumer. Every state change is published at least once, with one id and the right content.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromJson } from '@bufbuild/protobuf';
import { Client, type Job, JobState, Worker } from '@muster-jobs/sdk';
import { type JobEvent, JobEventSchema } from '@muster-jobs/sdk/gen/muster/v1/event_pb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KillPoint } from '../../server/engine/base/kill-points.ts';
import { eventually } from '../support/base/eventually.ts';
import { Child, survivors } from './harness/child.ts';
import { ReplicaProcess } from './harness/replica-process.ts';

const points: readonly KillPoint[] = [
  'submit.after_commit_before_reply',
  'relay.after_take_before_publish',
  'relay.after_publish_before_delete',
  'complete.after_commit_before_reply',
  'relay.after_publish_before_delete',
];
/** The minimum for each life of the replica. */
const JOBS_PER_LIFE = 30;
const LONG_MS = 120_000;

interface CloudEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly data: object;
}

let replica: ReplicaProcess;
let client: Client;
let worker: Worker;
let working: Promise<void>;
let folder: string;
const consumers = new Map<string, Child>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-events-'));
  replica = await ReplicaProcess.create('events', ['--beat-ms', '500', '--lease-ms', '2000']);
  await replica.start();
  const address = `127.0.0.1:${replica.proxy.port}`;
  client = new Client({ address, timeoutMs: LONG_MS, retry: { maxAttempts: 1_000, maxBackoffMs: 200 } });
  const flaky = ({ attempt }: { attempt: number }, n: number) => {
    if (n % 5 === 0) throw new Error('never');
    if (n % 3 === 0 && attempt === 1) throw new Error('not at first');
    return n;
  };
  worker = new Worker({ address, name: 'w', slots: 8, handlers: { flaky }, logger: { log: () => {} } });
  working = worker.run();
  await client.applyDefinition({
    name: 'flaky',
    retryPolicy: { maxAttempts: 2, minBackoffMs: 50, maxBackoffMs: 50 },
  });
});

afterAll(async () => {
  for (const consumer of consumers.values()) await consumer.stop(15_000);
  await worker?.stop();
  await working;
  client?.close();
  await replica?.stop();
  await rm(folder, { recursive: true, force: true });
  expect(survivors()).toEqual([]);
});

const fileOf = (name: string) => join(folder, `${name}.jsonl`);

async function consume(name: string): Promise<void> {
  await consumers.get(name)?.kill();
  const nats = join(replica.folder, 'nats');
  const url = `nats://127.0.0.1:${readFileSync(join(nats, 'port'), 'utf8').trim()}`;
  const args = ['workers/events/consumer.ts', url, join(nats, 'events.creds'), fileOf(name), name];
  consumers.set(name, new Child({ name, command: process.execPath, args }));
}

/** The events that a consumer has written; the last line may be incomplete. */
function eventsOf(name: string): CloudEvent[] {
  if (!existsSync(fileOf(name))) return [];
  const lines = readFileSync(fileOf(name), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

const jobIds: string[] = [];

/** Continues until `enough` returns true: a point that is passed a few times per second takes a while. */
async function submitUntil(enough: () => boolean): Promise<void> {
  for (let i = 0; i < JOBS_PER_LIFE || !enough(); i++) jobIds.push((await client.submit('flaky', jobIds.length)).jobId);
}

async function ended(): Promise<Job[]> {
  return eventually(
    'every job has ended',
    async () => {
      const jobs = await Promise.all(jobIds.map((jobId) => client.get(jobId)));
      return jobs.every((job) => job.endTime !== undefined) && jobs;
    },
    { timeoutMs: LONG_MS, everyMs: 200 },
  );
}

it('events are published at least once, with the same ids, whatever process is killed', {
  timeout: 600_000,
}, async () => {
  await consume('killed');
  for (const point of points) {
    await replica.kill();
    await replica.start(`${point}:3`);
    let killed = false;
    const submitting = submitUntil(() => killed);
    await replica.killedItself(point).finally(() => {
      killed = true;
    });
    await replica.start();
    await submitting;
    process.kill(Number(readFileSync(join(replica.folder, 'nats/nats-server.pid'), 'utf8')), 'SIGKILL');
    await consume('killed');
  }
  const jobs = await ended();
  await consume('late');
  for (const name of ['killed', 'late']) {
    const hasEveryEnd = () => {
      const received = new Set(eventsOf(name).map(({ id }) => id));
      return jobs.every((job) => received.has(`${job.jobId}/${job.revision}`));
    };
    await eventually(`${name}: the end of every job is told`, hasEveryEnd, { timeoutMs: LONG_MS, everyMs: 200 });
    expectComplete(eventsOf(name), jobs);
  }
  const sorted = (name: string) =>
    eventsOf(name)
      .map((event) => JSON.stringify(event))
      .sort();
  expect(sorted('killed')).toEqual(sorted('late'));
});

/** Each event is once in the file; each job has its creation, its actual end, and a chain of states in between. */
function expectComplete(events: readonly CloudEvent[], jobs: readonly Job[]): void {
  const ids = events.map(({ source, id }) => `${source} ${id}`);
  expect(new Set(ids).size).toBe(ids.length);
  const byJob = Map.groupBy(events, ({ subject }) => subject);
  for (const job of jobs) {
    const reported = (byJob.get(job.jobId) ?? [])
      .map(({ data }) => fromJson(JobEventSchema, data as never) as JobEvent)
      .sort((a, b) => Number(a.revision - b.revision));
    expect(reported[0]).toMatchObject({ revision: 1n, state: JobState.READY, previousState: JobState.UNSPECIFIED });
    expect(reported.at(-1)).toMatchObject({ revision: job.revision, state: job.state, attempt: job.attempt });
    // A retry has an event as well, with its reason.
    const retried = reported.filter(({ state }) => state === JobState.SCHEDULED);
    if (job.attemptCount > 1) expect(retried[0]?.failure?.message).toMatch(/never|not at first/);
    expect(reported.map(({ revision }) => revision)).toEqual([...new Set(reported.map(({ revision }) => revision))]);
  }
}
