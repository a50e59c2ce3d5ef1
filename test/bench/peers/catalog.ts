/** The peers, Muster first. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer, Store } from './peer.ts';
import type { Command } from './process.ts';
import { redisServer } from './redis.ts';

const folder = new URL('./', import.meta.url).pathname;
const node = (name: string): Command => ({
  program: process.execPath,
  args: [join(folder, 'adapters/node/host.ts'), name],
  cwd: folder,
});

const go = (name: string): Command => ({ program: join(folder, '.tools/go-peers'), args: [name], cwd: folder });
const python = (name: string): Command => ({
  program: join(folder, '.tools/venv/bin/python'),
  args: [join(folder, 'adapters/python/host.py'), name],
  cwd: folder,
});

/** Why the set-up could not bring something; undefined: it could, or was not asked to. */
function reasonFor(step: 'packages' | 'redis' | 'go' | 'python'): string | undefined {
  const file = join(folder, '.tools/reasons.json');
  const reasons: Record<string, string> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  return reasons[step]?.split('\n')[0];
}

const installed = (step: 'packages' | 'go' | 'python', path: string, store: Store) => () => {
  if (!existsSync(join(folder, path))) return reasonFor(step) ?? 'npm run bench:peers has not set it up';
  if (store !== 'postgres' && !redisServer()) return reasonFor('redis') ?? 'there is no redis-server';
  return undefined;
};

const inModules = (name: string, store: Store) => installed('packages', `node_modules/${name}`, store);

const COMMIT = 'committed in PostgreSQL with fsync before it is acknowledged';
const EVERY_SECOND = 'in memory when acknowledged, on disk within a second: a crash of the machine loses that second';
const AT_LEAST_ONCE = 'at least once';

export const muster: Peer = {
  name: 'Muster',
  store: 'postgres',
  command: node('muster'),
  controlPlane: true,
  path: 'producer → gRPC → control plane → PostgreSQL; control plane → NATS → worker → gRPC → control plane',
  setup: 'as `npm start`; a worker with 1,000 slots',
  durability: COMMIT,
  delivery: 'at least once, ended once: results are fenced by attempt and session',
  keeps: 'the job and its outcome for 7 days',
  detection: 'lease 15 s, then a sweep: 16 s',
  missing: () => undefined,
};

const graphile: Peer = {
  name: 'Graphile Worker',
  store: 'postgres',
  floor: true,
  command: node('graphile-worker'),
  path: 'producer → PostgreSQL ← worker; the scheduler is a library in the worker',
  setup: 'its page on performance: 24 jobs at once, 25 connections, localQueue 500, completions batched with delay 0',
  durability: COMMIT,
  delivery: `${AT_LEAST_ONCE}; up to 500 jobs are locked by a process ahead of their turn`,
  keeps: 'nothing: a job that succeeds is deleted',
  detection: 'a job stays locked for 4 h',
  noCancel: 'a running job can only be stopped by its worker when that shuts down',
  missing: inModules('graphile-worker', 'postgres'),
};

const pgBoss: Peer = {
  name: 'pg-boss',
  store: 'postgres',
  floor: true,
  command: node('pg-boss'),
  path: 'producer → PostgreSQL ← worker; the scheduler is a library in the worker',
  setup:
    'batches of 500, 4 fetches at once, burstWhenBatchFull, LISTEN/NOTIFY; heartbeat 10 s for cancel and lost workers only',
  durability: COMMIT,
  delivery: `${AT_LEAST_ONCE}; a batch succeeds or fails as a whole`,
  keeps: 'the job for 7 days',
  detection: 'heartbeat of 10 s at the shortest, then supervision each 60 s; without a heartbeat 15 min',
  missing: inModules('pg-boss', 'postgres'),
};

function bullmq(store: 'redis' | 'redis-always'): Peer {
  const everySecond = store === 'redis';
  return {
    name: everySecond ? 'BullMQ' : 'BullMQ (fsync always)',
    store,
    ...(everySecond ? { floor: true } : {}),
    command: node('bullmq'),
    path: 'producer → Redis ← worker; the scheduler is scripts in Redis and a library in the worker',
    setup: `its guide to production: append-only file, appendfsync ${everySecond ? 'everysec' : 'always'}, noeviction; concurrency 100, addBulk, removeOnComplete`,
    durability: everySecond ? EVERY_SECOND : 'on disk before it is acknowledged',
    delivery: AT_LEAST_ONCE,
    keeps: 'nothing, with removeOnComplete',
    detection: 'lock 30 s, checked each 30 s: 30 to 60 s',
    noCancel: 'Worker.cancelJob works in the process of the worker only',
    missing: inModules('bullmq', store),
  };
}

const river: Peer = {
  name: 'River',
  store: 'postgres',
  command: go('river'),
  path: 'producer → PostgreSQL ← worker; the scheduler is a library in the worker',
  setup:
    'InsertManyFast; 2,000 workers, FetchCooldown 2 ms, FetchPollInterval 20 ms, as the benchmark that comes with it',
  durability: COMMIT,
  delivery: AT_LEAST_ONCE,
  keeps: 'the job for 24 h',
  detection: 'a job that runs for more than 1 h is rescued',
  missing: installed('go', '.tools/go-peers', 'postgres'),
};

const asynq: Peer = {
  name: 'Asynq',
  store: 'redis',
  command: go('asynq'),
  path: 'producer → Redis ← worker; the scheduler is scripts in Redis and a library in the worker',
  setup: 'Redis as for BullMQ; concurrency 100, TaskCheckInterval 10 ms; no call for many: 16 enqueue at once',
  durability: EVERY_SECOND,
  delivery: AT_LEAST_ONCE,
  keeps: 'nothing, without retention',
  detection: 'lease 30 s, checked each minute',
  missing: installed('go', '.tools/go-peers', 'redis'),
};

const celery: Peer = {
  name: 'Celery',
  store: 'redis',
  command: python('celery'),
  path: 'producer → Redis ← worker, whose parent process hands jobs to child processes',
  setup: 'Redis as for BullMQ; prefork of 2, prefetch multiplier 128, acks_late, no results; no call for many',
  durability: EVERY_SECOND,
  delivery: 'at least once with acks_late; by default at most once',
  keeps: 'nothing, without a result backend',
  detection: 'visibility timeout of 1 h',
  missing: installed('python', '.tools/venv/bin/celery', 'redis'),
};

const procrastinate: Peer = {
  name: 'Procrastinate',
  store: 'postgres',
  command: python('procrastinate'),
  path: 'producer → PostgreSQL ← worker; the scheduler is SQL functions and a library in the worker',
  setup: 'batch_defer; async tasks, concurrency 100, LISTEN/NOTIFY; a periodic task each minute retries stalled jobs',
  durability: COMMIT,
  delivery: AT_LEAST_ONCE,
  keeps: 'the job, until it is deleted by hand',
  detection: "heartbeat 10 s, stalled after 30 s; retried by a periodic task of one's own",
  missing: installed('python', '.tools/venv/bin/procrastinate', 'postgres'),
};

export const peers: readonly Peer[] = [
  muster,
  bullmq('redis'),
  bullmq('redis-always'),
  graphile,
  pgBoss,
  river,
  asynq,
  celery,
  procrastinate,
];
