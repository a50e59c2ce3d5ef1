/** Records the history of each job: when it waits and runs, and how it ends. */

import { uuidFromBytes } from '../../domain/base/uuid.ts';
import { isTerminal, type JobState } from '../../domain/jobs/job-state.ts';
import type { EventBatch } from '../../engine/ports/events.ts';
import type { Arrival } from './scenario.ts';
import { EPOCH_MS } from './sim-postgres.ts';
import type { World } from './world.ts';

/** One attempt, in ms of virtual time. */
export interface RecordedAttempt {
  readonly startMs: number;
  readonly worker: number;
  /** Undefined: it runs. */
  endMs: number | undefined;
}

export interface RecordedJob {
  readonly arrival: Arrival;
  jobId: string;
  /** Why it was refused; empty: it was not. */
  refused: string;
  /** The submission returned an existing job. */
  existing: boolean;
  /** When it began to wait for a worker. */
  readonly readyMs: number[];
  readonly attempts: RecordedAttempt[];
  state: JobState;
  endMs: number | undefined;
  readonly queue: string;
  /** Empty: none. */
  limitKey: string;
  fairnessKey: string;
}

/**
 * In ms of the world's time: before the first job arrives, the control plane must be up and its first polling rounds
 * done.
 */
export const START_MS = 2_000;

/** Its times count from the start. */
export class Recorder {
  readonly jobs: RecordedJob[] = [];
  readonly #world: World;
  readonly #byId = new Map<string, RecordedJob>();
  readonly #waiting = new Set<RecordedJob>();
  #asked = 0;
  #settled: (() => void)[] = [];
  /** Jobs that have ended, and submissions that created none. */
  done = 0;
  /** When something last happened, in the world's time. */
  lastMs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether a job waits for a worker. */
  get anyWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** A job is being submitted. */
  asks(arrival: Arrival, queue: string): RecordedJob {
    const job: RecordedJob = {
      arrival,
      jobId: '',
      refused: '',
      existing: false,
      readyMs: [],
      attempts: [],
      state: 'SCHEDULED',
      endMs: undefined,
      queue,
      limitKey: '',
      fairnessKey: '',
    };
    this.jobs.push(job);
    this.#asked++;
    this.#moved();
    return job;
  }

  accepted(job: RecordedJob, jobId: string, existing: boolean): void {
    job.jobId = jobId;
    job.existing = existing;
    if (existing) this.done++;
    else this.#byId.set(jobId, job);
    if (!existing && job.arrival.delayMs === 0) this.#waits(job, this.#now());
    this.#answered();
  }

  refused(job: RecordedJob, reason: string): void {
    job.refused = reason;
    this.done++;
    this.#answered();
  }

  find(jobId: string): RecordedJob | undefined {
    return this.#byId.get(jobId);
  }

  /**
   * Resolves when every submission has been answered: an assignment may arrive before the answer to its own submission.
   */
  async answered(): Promise<void> {
    if (this.#asked > 0) await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  started(job: RecordedJob, worker: number): RecordedAttempt {
    const attempt: RecordedAttempt = { startMs: this.#now(), worker, endMs: undefined };
    job.attempts.push(attempt);
    this.#waiting.delete(job);
    this.#moved();
    return attempt;
  }

  stopped(attempt: RecordedAttempt): void {
    attempt.endMs = this.#now();
    this.#moved();
  }

  /** Change events arrive some time after the change. */
  record({ eventTimeUs, changes }: EventBatch): void {
    const atMs = Math.round(eventTimeUs / 1000 - EPOCH_MS) - START_MS;
    for (const { jobIds, state, previousState } of changes) {
      for (let at = 0; at < jobIds.length; at += 16) {
        const job = this.#byId.get(uuidFromBytes(jobIds.subarray(at, at + 16)));
        if (job && !isTerminal(job.state)) this.#changed(job, state, previousState, atMs);
      }
    }
  }

  #changed(job: RecordedJob, state: JobState, before: JobState | undefined, atMs: number): void {
    job.state = state;
    if (state === 'READY') {
      this.#waits(job, atMs);
      return;
    }
    this.#waiting.delete(job);
    // A rule of its definition delays its start.
    if (state === 'SCHEDULED' && before === undefined && job.attempts.length === 0) job.readyMs.length = 0;
    if (!isTerminal(state)) return;
    job.endMs = atMs;
    this.done++;
    this.#moved();
  }

  /** No new wait for a job that already waits or was released unstarted: it has waited since the first time. */
  #waits(job: RecordedJob, atMs: number): void {
    const { readyMs, attempts } = job;
    const over = attempts.filter(({ endMs }) => endMs !== undefined && endMs <= atMs).length;
    if (readyMs.length <= over) readyMs.push(atMs);
    if (readyMs.length > attempts.length) this.#waiting.add(job);
  }

  #answered(): void {
    this.#moved();
    if (--this.#asked > 0) return;
    for (const resolve of this.#settled.splice(0)) resolve();
  }

  #moved(): void {
    this.lastMs = this.#world.now;
  }

  #now(): number {
    return Math.round(this.#world.now) - START_MS;
  }
}
