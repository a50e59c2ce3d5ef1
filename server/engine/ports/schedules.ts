/** Schedules, as stored and shown, and the store's port for them. */
import type { ScheduleDecision, ScheduleStatus } from '../../domain/schedules/decide-schedule.ts';
import type {
  PendingRun,
  RunKey,
  ScheduleRules,
  ScheduleRunState,
  ScheduleSkipReason,
} from '../../domain/schedules/schedule.ts';
import type { Submission } from './submissions.ts';

export interface ScheduleName {
  readonly namespace: string;
  readonly name: string;
}

/** The submission of each run. */
export type ScheduledJob = Pick<
  Submission,
  | 'definition'
  | 'definitionVersion'
  | 'queue'
  | 'input'
  | 'labels'
  | 'priority'
  | 'retryPolicy'
  | 'runTimeoutMs'
  | 'demands'
>;

/** A person's settings of a schedule. */
export interface ScheduleSpec extends ScheduleName {
  readonly rules: ScheduleRules;
  readonly job: ScheduledJob;
  /** Max jobs by its times; undefined: unbounded. */
  readonly maxRuns?: number | undefined;
  readonly description: string;
}

/** Times are µs since 1970. */
export interface Schedule extends ScheduleSpec {
  readonly scheduleId: string;
  readonly paused: boolean;
  readonly pauseReason: string;
  /** New after each change by a person. */
  readonly etag: string;
  readonly createTimeUs: number;
  readonly updateTimeUs: number;
  /** Jobs submitted so far. */
  readonly jobs: number;
  /** Its next time; undefined: there is none, or no further job is allowed. */
  readonly nextTimeUs?: number | undefined;
}

export interface ScheduleRun extends PendingRun {
  readonly state: ScheduleRunState;
  readonly skipReason?: ScheduleSkipReason | undefined;
  /** Why it was refused, if it was. */
  readonly message: string;
  /** For consecutive times skipped for one reason: the last of them. */
  readonly lastNominalUs?: number | undefined;
  readonly times: number;
  readonly jobId?: string | undefined;
  readonly decideTimeUs: number;
}

/** A scanned schedule, with the work to do outside the database. */
export interface ScannedSchedule {
  readonly schedule: Schedule;
  /** Runs to submit, including those of an earlier scan that were not submitted. */
  readonly starting: readonly PendingRun[];
  /** Jobs to cancel before any run starts. */
  readonly cancelJobIds: readonly string[];
}

/** Results of a schedule's runs. */
export interface Settlement {
  readonly scheduleId: string;
  readonly results: readonly RunResult[];
}

/** The result of a run. */
export interface RunResult extends RunKey {
  /** Undefined: the job was refused. */
  readonly jobId?: string | undefined;
  /** Why it was refused. */
  readonly message: string;
}

export type ScheduleChange =
  | { readonly kind: 'done'; readonly schedule: Schedule; readonly created: boolean }
  | { readonly kind: 'missing' }
  | { readonly kind: 'full'; readonly pending: number }
  /** More of its times have passed than one scan decides. */
  | { readonly kind: 'behind' }
  | { readonly kind: 'stale'; readonly etag: string };

export interface SchedulePage {
  readonly schedules: readonly Schedule[];
  readonly hasMore: boolean;
}

export interface ScheduleRunPage {
  readonly runs: readonly ScheduleRun[];
  readonly hasMore: boolean;
}

export interface ScheduleStore {
  read(name: ScheduleName): Promise<Schedule | undefined>;
  /** By name, after `afterName`; up to `limit`, fewer if they are large. */
  list(namespace: string, afterName: string, limit: number): Promise<SchedulePage>;
  /**
   * Creates or changes a schedule; the same content changes nothing. A non-empty etag must be the current one. If the
   * times change, `decide` first decides the past runs of the old times.
   */
  apply(spec: ScheduleSpec, etag: string, scheduleId: string, decide: DecideSchedule): Promise<ScheduleChange>;
  /** An empty reason keeps the current one. */
  pause(name: ScheduleName, reason: string): Promise<ScheduleChange>;
  /** `decide` first decides the times that passed during the pause. */
  resume(name: ScheduleName, decide: DecideSchedule): Promise<ScheduleChange>;
  /** Also deletes the record of its runs. Its jobs stay. */
  delete(name: ScheduleName): Promise<boolean>;
  /** Adds requested runs; existing ones stay unchanged. */
  ask(name: ScheduleName, runs: readonly PendingRun[]): Promise<ScheduleChange>;
  /** Newest first, before `before`. */
  listRuns(scheduleId: string, before: RunKey | undefined, limit: number): Promise<ScheduleRunPage>;
  /** A requested run by the request's id; for a backfill the first one. */
  readRun(scheduleId: string, causeId: string): Promise<ScheduleRun | undefined>;
  /** Locks some of the due schedules, decides each, and writes the decisions, in one transaction. */
  scan(decide: DecideSchedule): Promise<ScannedSchedule[]>;
  /** Writes the results of runs, and makes their schedules due for another scan. */
  settle(settlements: readonly Settlement[]): Promise<void>;
  /** When the next schedule is due; undefined: none is. */
  readNextScanUs(): Promise<number | undefined>;
}

export type DecideSchedule = (schedule: Schedule, status: ScheduleStatus, nowUs: number) => ScheduleDecision;
