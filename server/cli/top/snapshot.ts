/** The data of `muster top`: queues and workers from the API, rates and ages from the metrics. */
import type { Queue, Worker } from '@muster-jobs/sdk/grpc';
import type { Connection } from '../connection.ts';
import { allPages } from '../pages.ts';
import { type Family, parseMetrics, sumOf } from './metrics-text.ts';

const METRICS_MS = 5_000;
/** Maximum items read per list. */
const MAX = 5_000;

/** One snapshot. */
export interface Snapshot {
  /** On this process's clock, in ms. */
  readonly atMs: number;
  readonly namespace: string;
  readonly queues: readonly Queue[];
  readonly workers: readonly Worker[];
  /** Undefined: they could not be read; `problem` has the reason. */
  readonly metrics: ReadonlyMap<string, Family> | undefined;
  readonly problem: string;
}

export interface QueueRow {
  readonly queue: string;
  readonly paused: boolean;
  readonly waiting: number;
  readonly running: number;
  readonly scheduled: number;
  /** Jobs that ended per second, since the previous snapshot. Undefined: unknown. */
  readonly rate: number | undefined;
  /** Age of the next job, in seconds. Undefined: unknown. */
  readonly oldest: number | undefined;
}

async function collect<T, P extends { readonly nextPageToken: string }>(
  read: (pageToken: string, pageSize: number) => Promise<P>,
  itemsOf: (page: P) => readonly T[],
): Promise<T[]> {
  const items: T[] = [];
  for await (const page of allPages(read)) {
    items.push(...itemsOf(page));
    if (items.length >= MAX) break;
  }
  return items;
}

/** @param http URL of the metrics; undefined: unknown. */
export async function readSnapshot(
  connection: Connection,
  http: string | undefined,
  signal: AbortSignal,
): Promise<Snapshot> {
  const { namespace, queues, workers } = connection;
  const [allQueues, allWorkers, measured] = await Promise.all([
    collect(
      (pageToken, pageSize) => queues.listQueues({ namespace, pageToken, pageSize }),
      (page) => page.queues,
    ),
    collect(
      (pageToken, pageSize) => workers.listWorkers({ namespace, pageToken, pageSize }),
      (page) => page.workers,
    ),
    readMetrics(http, signal),
  ]);
  const atMs = performance.now();
  return { atMs, namespace: namespace || 'default', queues: allQueues, workers: allWorkers, ...measured };
}

async function readMetrics(
  http: string | undefined,
  signal: AbortSignal,
): Promise<Pick<Snapshot, 'metrics' | 'problem'>> {
  if (http === undefined) return { metrics: undefined, problem: '--http URL names the HTTP port of the server' };
  const url = new URL('/metrics', http).href;
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(METRICS_MS)]) });
    if (response.status !== 200) throw new Error(`HTTP status ${response.status}`);
    return { metrics: parseMetrics(await response.text()), problem: '' };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const { cause, message } = error as Error;
    const why = (cause as Error | undefined)?.message || message;
    return { metrics: undefined, problem: `${url}: ${why}; --http URL names the HTTP port of the server` };
  }
}

/** Queues with the most waiting and running jobs first. */
export function queueRows(now: Snapshot, before: Snapshot | undefined): QueueRow[] {
  const rows = now.queues.map(({ name, paused, counts }) => ({
    queue: name,
    paused,
    waiting: Number(counts?.ready ?? 0n),
    running: Number(counts?.leased ?? 0n),
    scheduled: Number(counts?.scheduled ?? 0n),
    rate: rateOf(name, now, before),
    oldest: now.metrics && sumOf(now.metrics, 'muster_queue_oldest_ready_age_seconds', labelsOf(now, name)),
  }));
  const busy = (row: QueueRow) => row.waiting + row.running;
  return rows.sort((a, b) => busy(b) - busy(a) || (a.queue < b.queue ? -1 : 1));
}

function labelsOf({ namespace }: Snapshot, queue: string) {
  return { muster_namespace: namespace, muster_queue: queue };
}

/** A count that decreased means that the replica was restarted. */
function rateOf(queue: string, now: Snapshot, before: Snapshot | undefined): number | undefined {
  if (!now.metrics || !before?.metrics) return undefined;
  const [ended, earlier] = [now, before].map(({ metrics }) =>
    metrics ? (sumOf(metrics, 'muster_job_ended_total', labelsOf(now, queue)) ?? 0) : 0,
  ) as [number, number];
  const seconds = (now.atMs - before.atMs) / 1_000;
  return ended < earlier || seconds <= 0 ? undefined : (ended - earlier) / seconds;
}
