/** Schedules as the store keeps them and as callers see them, and the store's port for them. */
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

/** What a schedule submits each time. */
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

/** What a person says of a schedule. */
export interface ScheduleSpec extends ScheduleName {
  readonly rules: ScheduleRules;
  readonly job: ScheduledJob;
  /** Jobs that its times may give; undefined: any number. */
  readonly maxRuns?: number | undefined;
  readonly description: string;
}

/** Times are µs since 1970. */
export interface Schedule extends ScheduleSpec {
  readonly scheduleId: string;
  readonly paused: boolean;
  readonly pauseReason: string;
  /** Another one after each change by a person. */
  readonly etag: string;
  readonly createTimeUs: number;
  readonly updateTimeUs: number;
  /** Jobs that it has submitted. */
  readonly jobs: number;
  /** The next of its times; undefined: there is none, or none may give a job any more. */
  readonly nextTimeUs?: number | undefined;
}

export interface ScheduleRun extends PendingRun {
  readonly state: ScheduleRunState;
  readonly skipReason?: ScheduleSkipReason | undefined;
  /** Of one that was refused: why. */
  readonly message: string;
  /** Of times skipped one after the other for one reason: the last of them. */
  readonly lastNominalUs?: number | undefined;
  readonly times: number;
  readonly jobId?: string | undefined;
  readonly decideTimeUs: number;
}

/** A schedule that was looked at, with what is to be done outside the database. */
export interface ScannedSchedule {
  readonly schedule: Schedule;
  /** Runs that are to get a job: also those of an earlier look that did not come to it. */
  readonly starting: readonly PendingRun[];
  /** Jobs that are to be asked to stop, before any is started. */
  readonly cancelJobIds: readonly string[];
}

/** What became of runs of a schedule. */
export interface Settlement {
  readonly scheduleId: string;
  readonly results: readonly RunResult[];
}

/** What became of a run that was to get a job. */
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
  /** More of its times have come than one look decides. */
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
  /** By name, after `afterName`; as many as `limit`, or fewer where they are large. */
  list(namespace: string, afterName: string, limit: number): Promise<SchedulePage>;
  /**
   * Makes a schedule, or changes one that is there; the same content changes nothing. An etag that is not empty must be that
   * of the one that is there. Where other times take the place of those that are there, `decide` says first what becomes of
   * those of them that have come.
   */
  apply(spec: ScheduleSpec, etag: string, scheduleId: string, decide: DecideSchedule): Promise<ScheduleChange>;
  /** An empty reason leaves the one that is there. */
  pause(name: ScheduleName, reason: string): Promise<ScheduleChange>;
  /** `decide` says first what becomes of times that have come while it was paused. */
  resume(name: ScheduleName, decide: DecideSchedule): Promise<ScheduleChange>;
  /** With the record of its runs. Its jobs stay. */
  delete(name: ScheduleName): Promise<boolean>;
  /** Adds runs that a person asks for; those that are there already stay as they are. */
  ask(name: ScheduleName, runs: readonly PendingRun[]): Promise<ScheduleChange>;
  /** Newest first, before `before`. */
  listRuns(scheduleId: string, before: RunKey | undefined, limit: number): Promise<ScheduleRunPage>;
  /** One that a request asked for, by the request's id; of a backfill the first. */
  readRun(scheduleId: string, causeId: string): Promise<ScheduleRun | undefined>;
  /** Locks some of the schedules that are due, decides each, and writes what was decided, in one transaction. */
  scan(decide: DecideSchedule): Promise<ScannedSchedule[]>;
  /** Writes what became of runs that were to get a job, and has their schedules looked at once more. */
  settle(settlements: readonly Settlement[]): Promise<void>;
  /** When the next schedule is due; undefined: none is. */
  readNextScanUs(): Promise<number | undefined>;
}

export type DecideSchedule = (schedule: Schedule, status: ScheduleStatus, nowUs: number) => ScheduleDecision;
