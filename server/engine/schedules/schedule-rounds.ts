/** Scans due schedules, submits the jobs of their runs, and cancels jobs that must make way for them. */
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
  /** Cancels a job if it exists and is open. */
  readonly cancel: (namespace: string, jobId: string, reason: string) => Promise<void>;
  /** Called when runs have started. */
  readonly onStarted: () => void;
}

/** Labels of a schedule's jobs. */
const SCHEDULE_LABEL = 'muster/schedule';
const SCHEDULE_TIME_LABEL = 'muster/schedule-time';
/** Label of a trigger's jobs. */
const TRIGGER_LABEL = 'muster/trigger';

/** Changes made at other replicas are seen within this time. */
const POLL_MS = 1_000;
/** Max scans per round; each takes a few schedules. */
const MAX_ATTEMPTS = 100;
/** Bounds the inputs in memory at a time: 8 MiB. */
const JOBS_AT_ONCE = 16;

/** Errors after which a run is not tried again: its job is at fault, or a limit refuses it. */
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

  /** Resolves after a round that began after the call. Never rejects: a failed round is tried again. */
  scanNow(): Promise<void> {
    return this.#loop.runOnce();
  }

  /** The next round comes when the next schedule is due, or after POLL_MS: other replicas change schedules, too. */
  async #scan(): Promise<number | undefined> {
    const { store, clock, random } = this.#parts;
    for (let scan = 0; scan < MAX_ATTEMPTS && !this.#loop.isStopped; scan++) {
      const scanned = await store.schedules.scan(decide, clock.nowUs());
      if (scanned.length === 0) break;
      // An error of one does not hold up the others.
      const carryOut = (one: ScannedSchedule) => this.#carryOut(one).catch((error) => this.#note(error));
      const { SCHEDULE = [], TRIGGER = [] } = Object.groupBy(scanned, ({ schedule }) => schedule.kind);
      // Concurrent, so that their jobs are stored together.
      await Promise.all(SCHEDULE.map(carryOut));
      // One after the other: each run has an input of its own, of up to 512 KiB.
      for (const one of TRIGGER) await carryOut(one);
    }
    const nextUs = await store.schedules.readNextScanUs();
    if (nextUs === undefined) return undefined;
    return Math.min(jittered(POLL_MS, random), Math.max(1, (nextUs - clock.nowUs()) / 1_000));
  }

  #note(error: unknown): void {
    this.#parts.log.warn({ error: String(error) }, 'could not look after schedules; the next round tries again');
  }

  async #carryOut({ schedule, starting, cancelJobIds }: ScannedSchedule): Promise<void> {
    const { namespace, name, scheduleId, kind } = schedule;
    if (starting.length > 0 && kind === 'SCHEDULE') this.#parts.onStarted();
    for (const jobId of cancelJobIds)
      await this.#parts.cancel(namespace, jobId, `makes way for the next run of ${kind.toLowerCase()} ${name}`);
    for (let at = 0; at < starting.length; at += JOBS_AT_ONCE) {
      const slice = starting.slice(at, at + JOBS_AT_ONCE);
      const inputs =
        kind === 'TRIGGER' ? await this.#parts.store.schedules.readRunInputs(scheduleId, slice) : undefined;
      // A run of a trigger has its input until it is settled, or the trigger is deleted.
      const some = inputs ? slice.filter(({ causeId }) => inputs.get(causeId)) : slice;
      const results = await Promise.all(some.map((run) => this.#submit(schedule, run, inputs?.get(run.causeId))));
      killPoint('schedules.after_submit_before_settle');
      const known = results.filter((result) => result !== undefined);
      if (known.length > 0) await this.#settlements.add({ scheduleId, results: known });
    }
  }

  /** The request id is derived from the run: retries make at most one job. Undefined: it must be tried again. */
  async #submit(schedule: Schedule, run: PendingRun, input: Uint8Array | undefined): Promise<RunResult | undefined> {
    const { namespace, name, scheduleId } = schedule;
    const { nominalUs, causeId } = run;
    const id = `schedule/${scheduleId}/${nominalUs}/${causeId}`;
    try {
      const [made] = await this.#parts.submissions.submit({
        namespace,
        requestId: derivedUuid(id),
        bodyHash: hashOf(id),
        submissions: [
          {
            ...submissionOf(schedule, run),
            ...(input && { input: { data: input, contentType: 'application/json' } }),
            nominalTimeUs: run.cause === 'BACKFILL' ? undefined : nominalUs,
          },
        ],
        field: 'job',
        ignoresBounds: true,
      });
      // A duplicate is another submission's job: the schedule neither waits for it nor cancels it.
      if (made?.duplicate)
        return {
          nominalUs,
          causeId,
          message: `job ${made.jobId} exists already, and its definition allows no second one`,
        };
      return { nominalUs, causeId, jobId: made?.jobId, message: '' };
    } catch (error) {
      const isRefused = error instanceof EngineError && refusals.has(error.reason);
      const { message } = error as Error;
      this.#parts.log.warn(
        { schedule: name, namespace, problem: message },
        'a schedule or a trigger could not submit its job',
      );
      return isRefused ? { nominalUs, causeId, message } : undefined;
    }
  }
}

export function decide(schedule: Schedule, status: ScheduleStatus, nowUs: number): ScheduleDecision {
  return decideSchedule(status, new NominalTimes(schedule.rules.times), nowUs);
}

/** The last runs by the rules that are about to be replaced. */
export function decideLast(schedule: Schedule, status: ScheduleStatus, nowUs: number): ScheduleDecision {
  return decideSchedule(status, new NominalTimes(schedule.rules.times), nowUs, true);
}

/** The submission of a run. Its labels name the schedule and the time, or the trigger. */
export function submissionOf(
  { name, kind, job }: Pick<Schedule, 'name' | 'kind' | 'job'>,
  { nominalUs }: Pick<RunKey, 'nominalUs'>,
): Submission {
  const time = new Date(nominalUs / 1_000).toISOString();
  const own = { [SCHEDULE_LABEL]: name, [SCHEDULE_TIME_LABEL]: time };
  return {
    ...job,
    labels: { ...job.labels, ...(kind === 'TRIGGER' ? { [TRIGGER_LABEL]: name } : own) },
    idempotencyKey: '',
    conflictPolicy: 'USE_EXISTING',
    traceparent: '',
    tracestate: '',
  };
}
