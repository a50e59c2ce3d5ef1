/** Looks at schedules that are due, submits the jobs of their times, and cancels those that are to make way. */
import { decideSchedule, type ScheduleDecision, type ScheduleStatus } from '../../domain/schedules/decide-schedule.ts';
import { NominalTimes } from '../../domain/schedules/nominal-times.ts';
import type { PendingRun, RunKey } from '../../domain/schedules/schedule.ts';
import { Batcher } from '../base/batcher.ts';
import type { DbClock } from '../base/db-clock.ts';
import { derivedUuid, hashOf } from '../base/derived-ids.ts';
import { EngineError, type ErrorReason } from '../base/errors.ts';
import { killPoint } from '../base/kill-points.ts';
import type { Submissions } from '../jobs/submit/submissions.ts';
import { jittered, Loop } from '../loop.ts';
import type { Log, Random, Timers } from '../ports/ports.ts';
import type { RunResult, ScannedSchedule, Schedule, Settlement } from '../ports/schedules.ts';
import type { Store } from '../ports/store.ts';
import type { Submission } from '../ports/submissions.ts';

export interface ScheduleRoundsParts {
  readonly store: Pick<Store, 'schedules'>;
  readonly submissions: Pick<Submissions, 'submit'>;
  readonly clock: DbClock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  /** Cancels a job if it is there and open. */
  readonly cancel: (namespace: string, jobId: string, reason: string) => Promise<void>;
}

/** Labels of a schedule's jobs. */
export const SCHEDULE_LABEL = 'muster.dev/schedule';
export const SCHEDULE_TIME_LABEL = 'muster.dev/schedule-time';

/** What other replicas were asked for is seen within this. */
const POLL_MS = 1_000;
/** Looks in a round; each takes a few schedules. */
const MAX_ATTEMPTS = 100;
/** Bounds the inputs that are in memory at a time: 8 MiB. */
const JOBS_AT_ONCE = 16;

/** The job itself is to blame, or its limit wants no more of them: trying again would be of no use, or no run of that time. */
const refusals: ReadonlySet<ErrorReason> = new Set([
  'DEFINITION_NOT_FOUND',
  'DEFINITION_ARCHIVED',
  'INPUT_SCHEMA_VIOLATED',
  'INVALID_FIELD',
  'LIMIT_REACHED',
  'REQUEST_ID_REUSED',
  'DUPLICATE_JOB',
  'THROTTLED',
  'INTERNAL',
]);

export class ScheduleRounds {
  readonly #parts: ScheduleRoundsParts;
  readonly #settlements: Batcher<Settlement, undefined>;
  readonly #loop: Loop;

  constructor(parts: ScheduleRoundsParts) {
    this.#parts = parts;
    const { store, timers, random } = parts;
    this.#loop = new Loop({ ...parts, name: 'schedules', everyMs: POLL_MS, run: () => this.#scan() });
    this.#settlements = new Batcher({
      name: 'settled runs of schedules',
      flush: async (settlements) => {
        await store.schedules.settle(settlements);
        return settlements.map(() => undefined);
      },
      sizeOf: ({ results }) => ({ rows: results.length, bytes: 0 }),
      timers,
      random,
    });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Resolves after a round that began after the call. Never rejects: a round that failed is tried again. */
  scanNow(): Promise<void> {
    return this.#loop.runOnce();
  }

  /** The next round is due with the next schedule, but comes soon: other replicas change schedules, too. */
  async #scan(): Promise<number | undefined> {
    const { store, clock, random } = this.#parts;
    for (let scan = 0; scan < MAX_ATTEMPTS && !this.#loop.isStopped; scan++) {
      const scanned = await store.schedules.scan(decide);
      if (scanned.length === 0) break;
      // Beside each other, so that their jobs are stored together; and what goes wrong with one holds up no other.
      await Promise.all(scanned.map((one) => this.#carryOut(one).catch((error) => this.#note(error))));
    }
    const nextUs = await store.schedules.readNextScanUs();
    if (nextUs === undefined) return undefined;
    return Math.min(jittered(POLL_MS, random), Math.max(1, (nextUs - clock.nowUs()) / 1_000));
  }

  #note(error: unknown): void {
    this.#parts.log.warn({ error: String(error) }, 'could not look after schedules; the next round tries again');
  }

  async #carryOut({ schedule, starting, cancelJobIds }: ScannedSchedule): Promise<void> {
    const { namespace, name, scheduleId } = schedule;
    for (const jobId of cancelJobIds)
      await this.#parts.cancel(namespace, jobId, `makes way for the next run of schedule ${name}`);
    for (let at = 0; at < starting.length; at += JOBS_AT_ONCE) {
      const some = starting.slice(at, at + JOBS_AT_ONCE);
      const results = await Promise.all(some.map((run) => this.#submit(schedule, run)));
      killPoint('schedules.after_submit_before_settle');
      const known = results.filter((result) => result !== undefined);
      if (known.length > 0) await this.#settlements.add({ scheduleId, results: known });
    }
  }

  /** The request id is made of the run: however often it is tried, there is one job. Undefined: it is tried again. */
  async #submit(schedule: Schedule, run: PendingRun): Promise<RunResult | undefined> {
    const { namespace, name, scheduleId } = schedule;
    const { nominalUs, causeId } = run;
    const id = `schedule/${scheduleId}/${nominalUs}/${causeId}`;
    try {
      const [made] = await this.#parts.submissions.submit({
        namespace,
        requestId: derivedUuid(id),
        bodyHash: hashOf(id),
        submissions: [submissionOf(schedule, run)],
        field: 'job',
        ignoresBounds: true,
      });
      // That one is another submission's: the schedule neither waits for it nor cancels it.
      if (made?.duplicate)
        return {
          nominalUs,
          causeId,
          message: `job ${made.jobId} is there already, and its definition wants no other one`,
        };
      return { nominalUs, causeId, jobId: made?.jobId, message: '' };
    } catch (error) {
      const isRefused = error instanceof EngineError && refusals.has(error.reason);
      const { message } = error as Error;
      this.#parts.log.warn({ schedule: name, namespace, problem: message }, 'a schedule could not submit its job');
      return isRefused ? { nominalUs, causeId, message } : undefined;
    }
  }
}

export function decide(schedule: Schedule, status: ScheduleStatus, nowUs: number): ScheduleDecision {
  return decideSchedule(status, new NominalTimes(schedule.rules.times), nowUs);
}

/** What has come by rules that others are about to replace. */
export function decideLast(schedule: Schedule, status: ScheduleStatus, nowUs: number): ScheduleDecision {
  return decideSchedule(status, new NominalTimes(schedule.rules.times), nowUs, true);
}

/** What a run submits: it can be found by the labels that say whose it is, and for which time. */
export function submissionOf(
  { name, job }: Pick<Schedule, 'name' | 'job'>,
  { nominalUs }: Pick<RunKey, 'nominalUs'>,
): Submission {
  return {
    ...job,
    labels: {
      ...job.labels,
      [SCHEDULE_LABEL]: name,
      [SCHEDULE_TIME_LABEL]: new Date(nominalUs / 1_000).toISOString(),
    },
    idempotencyKey: '',
    conflictPolicy: 'USE_EXISTING',
    traceparent: '',
    tracestate: '',
  };
}
