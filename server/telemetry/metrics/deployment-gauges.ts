/** Gauges of the whole deployment, read from the database when the metrics are read. */
import type { Attributes, BatchObservableResult, Observable } from '@opentelemetry/api';
import type { CountedReason } from '../../domain/explain/wait-reasons.ts';
import type { QueueCounts } from '../../engine/ports/queues.ts';
import type {
  AllQueues,
  CountedReasons,
  DatabaseVitals,
  LimitVitals,
  LineHead,
  SessionVitals,
  Vitals,
} from '../../engine/ports/vitals.ts';
import { metrics, mostNames, OTHER } from './catalogue.ts';
import type { Instruments } from './instruments.ts';
import { Paced, type PacedParts } from './paced.ts';

/** Maximum lanes whose next job is read for the age of their queue. */
const MAX_LANES = 1_000;

/** Names of the states that are counted separately; the states in which a session holds the job count as one. */
const stateNames = {
  BLOCKED: 'blocked',
  SCHEDULED: 'scheduled',
  READY: 'ready',
  PAUSED: 'paused',
  ASSIGNED: 'held',
  WAITING: 'waiting',
} as const;

export interface DeploymentParts extends PacedParts {
  readonly vitals: Vitals;
  readonly countBacklogReasons: () => Promise<CountedReasons[]>;
  readonly deafAfterBeats: number;
  /** The database's clock, in microseconds. */
  readonly nowUs: () => number;
}

function labelsOf(namespace: string, queue: string): Attributes {
  return { 'muster.namespace': namespace, 'muster.queue': queue };
}

export function observeDeployment(instruments: Instruments, parts: DeploymentParts): void {
  const { vitals, deafAfterBeats } = parts;
  const queues = new Paced('the queues', () => vitals.readQueues(mostNames.queues), parts);
  const heads = new Paced('the age of what waits', () => vitals.readLineHeads(MAX_LANES), parts);
  const limits = new Paced('the limits', () => vitals.readLimits(), parts);
  const waits = new Paced('what jobs wait for', () => parts.countBacklogReasons(), parts);
  const sessions = new Paced('the sessions', () => vitals.readSessions(deafAfterBeats), parts);
  const database = new Paced('the state of the database', () => vitals.readDatabase(), parts);
  const gauges = {
    jobs: instruments.gauge(metrics.queueJobs),
    waiting: instruments.gauge(metrics.waitingJobs),
    age: instruments.gauge(metrics.queueAge),
    paused: instruments.gauge(metrics.queuePaused),
    concurrency: instruments.gauge(metrics.limitConcurrency),
    inUse: instruments.gauge(metrics.limitInUse),
    holders: instruments.gauge(metrics.limitHolders),
    sessions: instruments.gauge(metrics.sessions),
    slots: instruments.gauge(metrics.slots),
    snapshot: instruments.gauge(metrics.oldestSnapshot),
    daysAhead: instruments.gauge(metrics.daysAhead),
    rows: instruments.gauge(metrics.tableRows),
  };
  instruments.observe(Object.values(gauges), async (result) => {
    const [allQueues, allHeads, allWaits, allLimits, open, state] = await Promise.all([
      queues.read(),
      heads.read(),
      waits.read(),
      limits.read(),
      sessions.read(),
      database.read(),
    ]);
    if (allQueues) observeQueues(result, gauges, allQueues);
    if (allQueues && allHeads) observeAges(result, gauges.age, allQueues, allHeads, parts.nowUs());
    if (allQueues && allWaits) observeWaits(result, gauges.waiting, allQueues, allWaits);
    if (allLimits) observeLimits(result, gauges, allLimits);
    if (open) observeSessions(result, gauges, open);
    if (state) observeDatabase(result, gauges, state);
  });
}

type Gauges = Readonly<
  Record<
    'jobs' | 'paused' | 'concurrency' | 'inUse' | 'holders' | 'sessions' | 'slots' | 'snapshot' | 'daysAhead' | 'rows',
    Observable
  >
>;

function observeQueues(result: BatchObservableResult, { jobs, paused }: Gauges, { queues, others }: AllQueues): void {
  const counts = (labels: Attributes, of: QueueCounts) => {
    for (const [state, name] of Object.entries(stateNames)) {
      const value = of[state as keyof typeof stateNames] ?? 0;
      result.observe(jobs, value, { ...labels, 'muster.queue.jobs.state': name });
    }
  };
  for (const queue of queues) {
    const labels = labelsOf(queue.namespace, queue.name);
    counts(labels, queue.counts);
    result.observe(paused, queue.paused ? 1 : 0, labels);
  }
  if (others) counts(labelsOf(OTHER, OTHER), others);
}

/** Queues beyond the bound are summed up. */
function observeWaits(
  result: BatchObservableResult,
  waiting: Observable,
  { queues }: AllQueues,
  waits: readonly CountedReasons[],
): void {
  const named = new Set(queues.map(({ namespace, name }) => `${namespace}/${name}`));
  const others = new Map<CountedReason, number>();
  for (const { namespace, name, reason, jobs } of waits) {
    if (named.has(`${namespace}/${name}`))
      result.observe(waiting, jobs, { ...labelsOf(namespace, name), 'muster.wait.reason': reason });
    else others.set(reason, (others.get(reason) ?? 0) + jobs);
  }
  for (const [reason, jobs] of others)
    result.observe(waiting, jobs, { ...labelsOf(OTHER, OTHER), 'muster.wait.reason': reason });
}

/** For queues beyond the bound, the oldest job of all of them. */
function observeAges(
  result: BatchObservableResult,
  age: Observable,
  { queues, others }: AllQueues,
  heads: readonly LineHead[],
  nowUs: number,
): void {
  const keyOf = (namespace: string, name: string) => `${namespace}/${name}`;
  const oldest = new Map(queues.map(({ namespace, name }) => [keyOf(namespace, name), nowUs]));
  if (others) oldest.set(keyOf(OTHER, OTHER), nowUs);
  for (const { namespace, name, readyUs } of heads) {
    const own = keyOf(namespace, name);
    const key = oldest.has(own) ? own : keyOf(OTHER, OTHER);
    oldest.set(key, Math.min(oldest.get(key) ?? nowUs, readyUs));
  }
  for (const [key, sinceUs] of oldest) {
    const [namespace = '', name = ''] = key.split('/');
    result.observe(age, (nowUs - sinceUs) / 1_000_000, labelsOf(namespace, name));
  }
}

/** Limits beyond the bound are summed up. Those with problems come first, so they are not among them. */
function observeLimits(result: BatchObservableResult, gauges: Gauges, limits: readonly LimitVitals[]): void {
  const observe = (of: string, namespace: string, name: string, given: readonly LimitVitals[]) => {
    const labels = { 'muster.namespace': namespace, 'muster.limit.of': of, 'muster.limit.name': name };
    const sum = (value: (one: LimitVitals) => number) => given.reduce((total, one) => total + value(one), 0);
    const { concurrency, inUse, holders } = gauges;
    result.observe(
      concurrency,
      sum((one) => one.maxConcurrency),
      labels,
    );
    result.observe(
      inUse,
      sum((one) => one.inUse),
      labels,
    );
    result.observe(
      holders,
      sum((one) => one.holders),
      labels,
    );
  };
  for (const one of limits.slice(0, mostNames.limits)) observe(one.kind, one.namespace, one.name, [one]);
  const others = limits.slice(mostNames.limits);
  if (others.length > 0) observe(OTHER, OTHER, OTHER, others);
}

function observeSessions(result: BatchObservableResult, gauges: Gauges, { slots, ...open }: SessionVitals): void {
  for (const [condition, count] of Object.entries(open)) {
    result.observe(gauges.sessions, count, { 'muster.session.condition': condition });
  }
  result.observe(gauges.slots, slots);
}

function observeDatabase(
  result: BatchObservableResult,
  { snapshot, daysAhead, rows }: Gauges,
  { oldestSnapshotMs, daysAhead: days, tables }: DatabaseVitals,
): void {
  result.observe(snapshot, oldestSnapshotMs / 1_000);
  result.observe(daysAhead, days);
  for (const { table, liveRows, deadRows } of tables) {
    result.observe(rows, liveRows, { 'muster.table': table, 'muster.row.state': 'live' });
    result.observe(rows, deadRows, { 'muster.table': table, 'muster.row.state': 'dead' });
  }
}
