/** Counts and times jobs from the store's results: one addition per lane of a group, not per job. */
import type { Counter } from '@opentelemetry/api';
import { uuid7Ms } from '../../domain/base/uuid.ts';
import type { LaneKey } from '../../domain/dispatch/placement.ts';
import type { AttemptOutcome, Change, ClosedAttempt, Continue, End } from '../../domain/jobs/run.ts';
import type { CompletedAttempt } from '../../engine/ports/attempts.ts';
import type { ClaimedJob } from '../../engine/ports/dispatch.ts';
import type { MissedDeadline } from '../../engine/ports/jobs.ts';
import type { NewJob } from '../../engine/ports/submissions.ts';
import type { Distribution, HistogramFamily } from './histograms.ts';
import { ByLane, type JobLabels } from './lane-labels.ts';

export interface JobInstruments {
  readonly submitted: Counter;
  readonly ended: Counter;
  readonly exhausted: Counter;
  /** Missed soft deadlines. */
  readonly late: Counter;
  readonly sent: Counter;
  readonly refused: Counter;
  readonly wait: HistogramFamily;
  readonly attempt: HistogramFamily;
  readonly life: HistogramFamily;
}

/** How an attempt reached a session. */
export type AssignmentSource = 'claim' | 'submission' | 'suspect' | 'probe' | 'resend';

/** The instruments of one combination of names, looked up once. */
interface Series {
  readonly labels: JobLabels;
  readonly wait: Distribution;
  readonly attempts: Map<string, Distribution>;
  readonly lives: Map<string, Distribution>;
}

/** Outcome of the attempt with which a job ended. */
const lastOutcomes: Partial<Record<End['event'], AttemptOutcome>> = {
  fail: 'FAILED',
  timeOut: 'TIMED_OUT',
  lapse: 'LAPSED',
  abort: 'ABORTED',
  closeSession: 'SESSION_CLOSED',
  confirmCancel: 'CANCELLED',
  release: 'RELEASED',
  // Its handler was about to wait for children while the job was being cancelled.
  suspend: 'CANCELLED',
};

function kept(map: Map<string, Distribution>, key: string, make: () => Distribution): Distribution {
  let distribution = map.get(key);
  if (!distribution) {
    distribution = make();
    map.set(key, distribution);
  }
  return distribution;
}

export class JobMeter {
  readonly #instruments: JobInstruments;
  readonly #nowUs: () => number;
  readonly #lanes: ByLane<Series>;

  /** @param nowUs The database's clock, in microseconds. */
  constructor(instruments: JobInstruments, nowUs: () => number) {
    this.#instruments = instruments;
    this.#nowUs = nowUs;
    this.#lanes = new ByLane((labels) => ({
      labels,
      wait: instruments.wait.of({ ...labels }),
      attempts: new Map(),
      lives: new Map(),
    }));
  }

  learn(laneId: number, names: LaneKey): void {
    this.#lanes.learn(laneId, names);
  }

  submitted(jobs: readonly Pick<NewJob, 'laneId'>[]): void {
    for (const [series, count] of this.#counted(jobs)) this.#instruments.submitted.add(count, { ...series.labels });
  }

  /** Jobs that were assigned when they were stored: their wait is the duration of that. */
  assignedAtOnce(jobs: readonly Pick<NewJob, 'laneId' | 'jobId'>[]): void {
    this.sent(jobs.length, 'submission');
    for (const job of jobs) this.#lanes.of(job.laneId).wait.record(this.#secondsSince(uuid7Ms(job.jobId) * 1_000));
  }

  claimed(jobs: readonly ClaimedJob[], source: AssignmentSource): void {
    this.sent(jobs.length, source);
    for (const { jobId, laneId, attempt, runTimeUs = 0 } of jobs) {
      if (attempt > 1) continue;
      this.#lanes.of(laneId).wait.record(this.#secondsSince(Math.max(uuid7Ms(jobId) * 1_000, runTimeUs)));
    }
  }

  sent(count: number, source: AssignmentSource): void {
    if (count > 0) this.#instruments.sent.add(count, { 'muster.assignment.source': source });
  }

  completed(attempts: readonly CompletedAttempt[]): void {
    for (const { jobId, laneId, assignTimeUs } of attempts) {
      const series = this.#lanes.of(laneId);
      this.#attempt(series, 'SUCCEEDED', assignTimeUs);
      this.#life(series, 'SUCCEEDED', uuid7Ms(jobId) * 1_000);
    }
    for (const [series, count] of this.#counted(attempts)) this.#ended(series, 'SUCCEEDED', 'NONE', count);
  }

  changed(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.event === 'release') this.#refused(change);
      if (change.kind === 'end') this.#end(change);
      else if (change.closed) this.#closed(this.#lanes.of(change.run.laneId), change, change.closed);
    }
  }

  missedDeadlines(jobs: readonly MissedDeadline[]): void {
    for (const [series, count] of this.#counted(jobs)) this.#instruments.late.add(count, { ...series.labels });
  }

  #closed(series: Series, { run, exhausted }: Continue, { outcome }: ClosedAttempt): void {
    this.#attempt(series, outcome, run.assignTimeUs);
    if (exhausted) this.#instruments.exhausted.add(1, { ...series.labels });
  }

  #end(change: End): void {
    const { run, state, event, failure, cleanup } = change;
    const series = this.#lanes.of(run.laneId);
    if (run.sessionId !== null) this.#attempt(series, lastOutcomes[event] ?? 'CANCELLED', run.assignTimeUs);
    this.#life(series, state, run.createTimeUs);
    this.#ended(series, state, failure?.failureCause ?? 'NONE', 1);
    if (cleanup) this.submitted([cleanup]);
  }

  #refused(change: Change): void {
    const reason = (change.kind === 'continue' && change.closed?.why) || 'CANCELLED';
    this.#instruments.refused.add(1, { 'muster.release.reason': reason.toLowerCase() });
  }

  #ended({ labels }: Series, state: string, cause: string, count: number): void {
    const what = { 'muster.job.state': state.toLowerCase(), 'muster.failure.cause': cause.toLowerCase() };
    this.#instruments.ended.add(count, { ...labels, ...what });
  }

  #attempt({ labels, attempts }: Series, outcome: AttemptOutcome, assignTimeUs: number | null): void {
    if (assignTimeUs === null) return;
    const make = () => this.#instruments.attempt.of({ ...labels, 'muster.attempt.outcome': outcome.toLowerCase() });
    kept(attempts, outcome, make).record(this.#secondsSince(assignTimeUs));
  }

  #life({ labels, lives }: Series, state: string, createTimeUs: number): void {
    const make = () => this.#instruments.life.of({ ...labels, 'muster.job.state': state.toLowerCase() });
    kept(lives, state, make).record(this.#secondsSince(createTimeUs));
  }

  #secondsSince(us: number): number {
    return (this.#nowUs() - us) / 1_000_000;
  }

  #counted(items: readonly { readonly laneId: number }[]): Map<Series, number> {
    const counts = new Map<Series, number>();
    for (const { laneId } of items) {
      const series = this.#lanes.of(laneId);
      counts.set(series, (counts.get(series) ?? 0) + 1);
    }
    return counts;
  }
}
