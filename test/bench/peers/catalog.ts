/** The peers, Muster first. */
import { existsSync } from 'node:fs';
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

function lacks(store: Store, file: string, what: string): string | undefined {
  if (!existsSync(file)) return `${what} is not installed`;
  if (store !== 'postgres' && !redisServer()) return 'there is no redis-server';
  return undefined;
}

const inModules = (name: string, store: Store) => () => lacks(store, join(folder, 'node_modules', name), name);

const COMMIT = 'committed in PostgreSQL with fsync before it is acknowledged';
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
    name: everySecond ? 'BullMQ' : 'BullMQ, fsync always',
    store,
    ...(everySecond ? { floor: true } : {}),
    command: node('bullmq'),
    path: 'producer → Redis ← worker; the scheduler is scripts in Redis and a library in the worker',
    setup: `its guide to production: append-only file, appendfsync ${everySecond ? 'everysec' : 'always'}, noeviction; concurrency 100, addBulk, removeOnComplete`,
    durability: everySecond
      ? 'in memory when acknowledged, on disk within a second: a crash of the machine loses that second'
      : 'on disk before it is acknowledged',
    delivery: AT_LEAST_ONCE,
    keeps: 'nothing, with removeOnComplete',
    detection: 'lock 30 s, checked each 30 s: 30 to 60 s',
    noCancel: 'Worker.cancelJob works in the process of the worker only',
    missing: inModules('bullmq', store),
  };
}

export const peers: readonly Peer[] = [muster, bullmq('redis'), bullmq('redis-always'), graphile, pgBoss];
