/** A schedule with its jobs, kept as in a store, for tests of decisions. */
import { expect } from 'vitest';
import {
  type Decided,
  decideSchedule,
  type ScheduleDecision,
  type ScheduleStatus,
} from '../../../server/domain/schedules/decide-schedule.ts';
import { NominalTimes, type ScheduleTimes } from '../../../server/domain/schedules/nominal-times.ts';
import type { PendingRun, ScheduleRules } from '../../../server/domain/schedules/schedule.ts';

export const NOON_US = Date.UTC(2026, 10, 26, 12) * 1_000;
export const SECOND = 1_000_000;
export const MINUTE = 60 * SECOND;
const everyMinute: ScheduleTimes = {
  crons: [],
  intervals: [{ everyMs: 60_000, offsetMs: 0 }],
  calendars: [],
  exclusions: [],
  timeZone: 'UTC',
};
export const times = new NominalTimes(everyMinute);

export const rules: ScheduleRules = {
  times: everyMinute,
  jitterMs: 0,
  overlap: 'SKIP',
  catchUp: 'LATEST',
  catchUpWindowMs: 86_400_000,
  pauseOnFailure: false,
};

interface OpenJob {
  readonly run: PendingRun;
  readonly endUs: number;
  readonly fails: boolean;
}

/** The run time of the n-th started job. */
export type JobLength = (start: number) => number;

export class ScheduleWorld {
  status: ScheduleStatus;
  /** Every decided time, with all its outcomes. */
  readonly fates = new Map<number, string[]>();
  readonly starts: { readonly nominalUs: number; readonly atUs: number; readonly concurrent: number }[] = [];
  #jobs: OpenJob[] = [];
  readonly #lengthUs: JobLength;
  readonly #fails: (start: number) => boolean;

  constructor(
    changes: Partial<ScheduleRules>,
    runsLeft: number | undefined,
    lengthUs: JobLength,
    fails: (start: number) => boolean = () => false,
  ) {
    this.#lengthUs = lengthUs;
    this.#fails = fails;
    this.status = {
      rules: { ...rules, ...changes },
      seed: 'seed',
      paused: false,
      runsLeft,
      decidedUntilUs: NOON_US,
      buffered: [],
      asked: [],
      open: 0,
    };
  }

  get open(): number {
    return this.#jobs.length;
  }

  /** `endsNow`: these times are about to be replaced. */
  scan(nowUs: number, endsNow = false): ScheduleDecision {
    const failed = this.#jobs.find(({ endUs, fails }) => fails && endUs <= nowUs);
    this.#jobs = this.#jobs.filter(({ endUs }) => endUs > nowUs);
    const failedJobId = failed && 'failed';
    const decision = decideSchedule({ ...this.status, open: this.#jobs.length, failedJobId }, times, nowUs, endsNow);
    if (decision.cancelsOthers) this.#jobs = this.#jobs.map((job) => ({ ...job, endUs: nowUs + SECOND, fails: false }));
    const left = this.status.buffered.filter((run) => !decision.runs.some((one) => one.nominalUs === run.nominalUs));
    const concurrent = this.#jobs.length;
    for (const run of decision.runs) this.#carryOut(run, nowUs, concurrent);
    const { runsLeft, decidedUntilUs } = decision;
    const buffered = [...left, ...decision.runs.filter((run) => run.state === 'BUFFERED')];
    const paused = this.status.paused || decision.pauseReason !== undefined;
    this.status = { ...this.status, runsLeft, decidedUntilUs, buffered, asked: [], paused };
    return decision;
  }

  #carryOut(run: Decided, nowUs: number, concurrent: number): void {
    const last = run.lastNominalUs ?? run.nominalUs;
    for (let us = run.nominalUs; us <= last; us += MINUTE)
      this.fates.set(us, [...(this.fates.get(us) ?? []), run.skipReason ?? run.state]);
    expect((last - run.nominalUs) / MINUTE + 1).toBe(run.times ?? 1);
    if (run.state !== 'STARTING') return;
    this.starts.push({ nominalUs: run.nominalUs, atUs: nowUs, concurrent });
    const start = this.starts.length;
    this.#jobs.push({ run, endUs: nowUs + this.#lengthUs(start), fails: this.#fails(start) });
  }
}
