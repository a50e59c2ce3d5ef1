/** Wraps the store: times its hot functions and counts their results, without the engine's knowledge. */
import type { Counter } from '@opentelemetry/api';
import type { Clock } from '../../engine/ports/ports.ts';
import type { Store } from '../../engine/ports/store.ts';
import type { NewJob, SubmitCall, SubmitResult } from '../../engine/ports/submissions.ts';
import type { Distribution, HistogramFamily } from './histograms.ts';
import type { JobMeter } from './job-meter.ts';

export interface StoreMeters {
  readonly jobs: JobMeter;
  readonly flushDuration: HistogramFamily;
  readonly flushRows: HistogramFamily;
  readonly heartbeats: Counter;
  readonly lateReports: Counter;
  readonly sessionsOpened: Counter;
  readonly sessionsClosed: Counter;
  readonly clock: Clock;
}

/** Registers a count that is applied once the transaction is committed. */
type Note = (count: () => void) => void;

/** Times groups of one kind. */
class FlushTimer {
  readonly #kind: string;
  readonly #meters: StoreMeters;
  readonly #took: Distribution;
  readonly #rows: Distribution;

  constructor(kind: string, meters: StoreMeters) {
    this.#kind = kind;
    this.#meters = meters;
    this.#took = meters.flushDuration.of({ 'muster.flush.kind': kind });
    this.#rows = meters.flushRows.of({ 'muster.flush.kind': kind });
  }

  /** `rows`: the number of rows of the group, or a function that computes it from the result. */
  async time<T>(rows: number | ((result: T) => number), work: () => Promise<T>): Promise<T> {
    const { clock, flushDuration } = this.#meters;
    const start = clock.now();
    try {
      const result = await work();
      this.#took.record((clock.now() - start) / 1_000);
      this.#rows.record(typeof rows === 'number' ? rows : rows(result));
      return result;
    } catch (error) {
      const labels = { 'muster.flush.kind': this.#kind, 'error.type': errorType(error) };
      flushDuration.of(labels).record((clock.now() - start) / 1_000);
      throw error;
    }
  }
}

/** The class of an SQLSTATE, of which there are some forty; anything else is `_OTHER`. */
function errorType(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code.slice(0, 2) : '_OTHER';
}

const kinds = ['submit', 'claim', 'complete', 'change', 'heartbeat', 'observe', 'progress', 'logs'] as const;
type Timers = Readonly<Record<(typeof kinds)[number], FlushTimer>>;

export function measureStore(store: Store, meters: StoreMeters): Store {
  const timers = Object.fromEntries(kinds.map((kind) => [kind, new FlushTimer(kind, meters)])) as Timers;
  return measured(store, meters, timers, (count) => count());
}

function measured(store: Store, meters: StoreMeters, timers: Timers, note: Note): Store {
  return {
    ...store,
    ...lanesOf(store, meters),
    ...flushesOf(store, meters, timers, note),
    ...sessionsOf(store, meters, timers, note),
    async together(work) {
      const counts: (() => void)[] = [];
      const inner = (one: Store) => measured(one, meters, timers, (count) => counts.push(count));
      const result = await store.together((one) => work(inner(one)));
      for (const count of counts) note(count);
      return result;
    },
  };
}

/** Every code path that moves jobs has looked up their lane here before. */
function lanesOf(store: Store, { jobs }: StoreMeters): Pick<Store, 'findLane' | 'ensureLane' | 'readLanes'> {
  return {
    async findLane(key, breaker) {
      const laneId = await store.findLane(key, breaker);
      if (laneId !== undefined) jobs.learn(laneId, key);
      return laneId;
    },
    async ensureLane(key, breaker) {
      const laneId = await store.ensureLane(key, breaker);
      jobs.learn(laneId, key);
      return laneId;
    },
    async readLanes(laneIds) {
      const lanes = await store.readLanes(laneIds);
      for (const lane of lanes) jobs.learn(lane.laneId, lane);
      return lanes;
    },
  };
}

type Flushes = Pick<
  Store,
  'submit' | 'claim' | 'probeBreaker' | 'readAssigned' | 'complete' | 'change' | 'closePassedDeadlines'
>;

function flushesOf(store: Store, { jobs }: StoreMeters, timers: Timers, note: Note): Flushes {
  return {
    async submit(calls, permits, limited) {
      const rows = calls.reduce((sum, call) => sum + call.jobs.length, 0);
      const results = await timers.submit.time(rows, () => store.submit(calls, permits, limited));
      note(() => countSubmitted(jobs, calls, results));
      return results;
    },
    async claim(claim) {
      const work = () => store.claim(claim);
      const result = await timers.claim.time((found) => found.jobs.length, work);
      note(() => jobs.claimed(result.jobs, claim.suspects ? 'suspect' : 'claim'));
      return result;
    },
    async probeBreaker(key, claim, latestUs) {
      const job = await store.probeBreaker(key, claim, latestUs);
      if (job) note(() => jobs.claimed([job], 'probe'));
      return job;
    },
    async readAssigned(attempts) {
      const found = await store.readAssigned(attempts);
      note(() => jobs.sent(found.length, 'resend'));
      return found;
    },
    async complete(completions, checked) {
      const completed = await timers.complete.time(completions.length, () => store.complete(completions, checked));
      note(() => jobs.completed(completed));
      return completed;
    },
    async change(selection, decide) {
      const work = () => store.change(selection, decide);
      const changes = await timers.change.time((all) => all.length, work);
      note(() => jobs.changed(changes));
      return changes;
    },
    async closePassedDeadlines(limit, latestUs) {
      const closed = await store.closePassedDeadlines(limit, latestUs);
      note(() => jobs.missedDeadlines(closed.missed));
      return closed;
    },
  };
}

function countSubmitted(jobs: JobMeter, calls: readonly SubmitCall[], results: readonly SubmitResult[]): void {
  const made: NewJob[] = [];
  const assigned: NewJob[] = [];
  for (const [i, call] of calls.entries()) {
    const result = results[i];
    if (result?.kind !== 'stored' || result.repeated) continue;
    if (result.replaced) jobs.changed(result.replaced.changes);
    for (let n = 0; n < call.jobs.length; n++) {
      const [job, answer] = [call.jobs[n] as NewJob, result.jobs[n]];
      if (answer && !answer.existing) made.push(job);
      if (answer?.assigned) assigned.push(job);
    }
  }
  jobs.submitted(made);
  jobs.assignedAtOnce(assigned);
}

type OfSessions = Pick<
  Store,
  'openSession' | 'renewSessions' | 'closeSessions' | 'observe' | 'saveProgress' | 'saveLogs' | 'noteLateReports'
>;

function sessionsOf(store: Store, meters: StoreMeters, timers: Timers, note: Note): OfSessions {
  return {
    async openSession(asked) {
      const session = await store.openSession(asked);
      // Otherwise an earlier call with the same request id opened the session.
      if (session.sessionId === asked.sessionId) note(() => meters.sessionsOpened.add(1));
      return session;
    },
    async renewSessions(beats, leaseMs, nowUs) {
      const renewals = await timers.heartbeat.time(beats.length, () => store.renewSessions(beats, leaseMs, nowUs));
      const add = (count: number, result: string) =>
        count > 0 && meters.heartbeats.add(count, { 'muster.heartbeat.result': result });
      note(() => {
        add(renewals.length, 'renewed');
        add(beats.length - renewals.length, 'lease_lost');
      });
      return renewals;
    },
    async noteLateReports(reports) {
      await store.noteLateReports(reports);
      note(() => {
        for (const { outcome } of reports)
          meters.lateReports.add(1, { 'muster.attempt.outcome': outcome.toLowerCase() });
      });
    },
    async closeSessions(sessionIds, how, lapsedForMs, latestUs) {
      const closed = await store.closeSessions(sessionIds, how, lapsedForMs, latestUs);
      const labels = { 'muster.session.cause': how.toLowerCase() };
      if (closed.length > 0) note(() => meters.sessionsClosed.add(closed.length, labels));
      return closed;
    },
    observe: (attempts, ownUs) => timers.observe.time(attempts.length, () => store.observe(attempts, ownUs)),
    saveProgress: (changes, ownUs) => timers.progress.time(changes.length, () => store.saveProgress(changes, ownUs)),
    saveLogs: (logs) => timers.logs.time(logs.length, () => store.saveLogs(logs)),
  };
}
