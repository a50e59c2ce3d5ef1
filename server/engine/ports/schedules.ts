/** Schedules, as stored and shown, and the store's port for them. */
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { Decided, ScheduleDecision, ScheduleStatus } from '../../domain/schedules/decide-schedule.ts';
import type {
  PendingRun,
  RunKey,
  ScheduleKind,
  ScheduleRules,
  ScheduleRunState,
  ScheduleSkipReason,
} from '../../domain/schedules/schedule.ts';
import type { Condition } from '../../domain/triggers/condition.ts';
import type { Submission } from './submissions.ts';

export interface ScheduleName {
  readonly namespace: string;
  readonly name: string;
  readonly kind: ScheduleKind;
}

/** What makes a trigger run. */
export interface TriggerRules {
  readonly condition: Condition;
  /** For how long a cause is held. */
  readonly expireMs: number;
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
  | 'fairnessKey'
  | 'softDeadline'
>;

/** A person's settings of a schedule. */
export interface ScheduleSpec extends ScheduleName {
  readonly rules: ScheduleRules;
  /** Of a trigger. */
  readonly trigger?: TriggerRules | undefined;
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
  /** Of a trigger: the key of its causes. */
  readonly key?: string | undefined;
}

/** A locked schedule. */
export interface LockedSchedule {
  readonly schedule: Schedule;
  /** Number of jobs that its times may still create; undefined: unlimited. */
  readonly runsLeft: number | undefined;
  /** Every time up to here has been decided. */
  readonly decidedUntilUs: number;
}

export interface DueSchedule extends LockedSchedule {
  readonly nowUs: number;
}

/** A run that has no job yet, or whose job has not been seen to end. */
export interface UnsettledRun extends PendingRun {
  readonly scheduleId: string;
  readonly state: ScheduleRunState;
  readonly jobId: string | undefined;
  readonly decideTimeUs: number;
  /** Its job is open. */
  readonly isOpen: boolean;
  /** Undefined: its job is open, or gone. */
  readonly endState: JobState | undefined;
}

/** A run with the schedule it belongs to. */
export type OfSchedule<T extends RunKey> = T & { readonly scheduleId: string };

/** The decision about a locked schedule. */
export interface WrittenDecision
  extends Pick<ScheduleDecision, 'runsLeft' | 'decidedUntilUs' | 'nextUs' | 'nextScanUs' | 'pauseReason'> {
  readonly scheduleId: string;
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
  list(namespace: string, kind: ScheduleKind, afterName: string, limit: number): Promise<SchedulePage>;
  /** Undefined: it exists. */
  insert(spec: ScheduleSpec, scheduleId: string, ownUs: number): Promise<Schedule | undefined>;
  lock(name: ScheduleName): Promise<LockedSchedule | undefined>;
  readNowUs(ownUs: number): Promise<number>;
  /** Of a locked schedule. With `decidedUntilUs`, its times are new and apply from then on. */
  update(scheduleId: string, spec: ScheduleSpec, decidedUntilUs: number | undefined): Promise<Schedule>;
  /** An empty reason keeps the current one. Undefined: nothing has changed. */
  markPaused(scheduleId: string, reason: string): Promise<Schedule | undefined>;
  /** Undefined: it is not paused. */
  markResumed(scheduleId: string): Promise<Schedule | undefined>;
  /** Makes the schedule due for a scan. */
  wake(scheduleId: string): Promise<void>;
  /** Returns its id. Its runs stay. */
  drop(name: ScheduleName): Promise<string | undefined>;
  dropRuns(scheduleId: string): Promise<void>;
  /** Newest first, before `before`. */
  listRuns(scheduleId: string, before: RunKey | undefined, limit: number): Promise<ScheduleRunPage>;
  /** A requested run by the request's id; for a backfill the first one. */
  readRun(scheduleId: string, causeId: string): Promise<ScheduleRun | undefined>;
  /** Runs that wait for a decision or for their start, counted up to 2,000. */
  countPending(scheduleId: string): Promise<number>;
  /** Adds requested runs; existing ones stay unchanged. */
  insertAsked(scheduleId: string, runs: readonly PendingRun[]): Promise<void>;
  /** Locks some of the due schedules; skips those that another replica has locked. */
  lockDue(ownUs: number): Promise<DueSchedule[]>;
  /** At most 3,000 runs of each, those without a job first. */
  readUnsettled(scheduleIds: readonly string[]): Promise<UnsettledRun[]>;
  /** Marks runs whose jobs have ended. */
  settleEnded(runs: readonly OfSchedule<RunKey>[]): Promise<void>;
  writeRuns(runs: readonly OfSchedule<Decided>[]): Promise<void>;
  /** Deletes settled runs of these schedules, from 1,000 later ones on. */
  dropOldRuns(scheduleIds: readonly string[]): Promise<void>;
  /** Of locked schedules. */
  writeDecisions(decisions: readonly WrittenDecision[]): Promise<void>;
  /** Writes the results of runs, and makes their schedules due for another scan. */
  settle(settlements: readonly Settlement[]): Promise<void>;
  /** The inputs of a trigger's runs that are to start, as text of JSON, by the id of their cause. */
  readRunInputs(scheduleId: string, runs: readonly RunKey[]): Promise<ReadonlyMap<string, Uint8Array>>;
  /** When the next schedule is due; undefined: none is. */
  readNextScanUs(): Promise<number | undefined>;
}

/** `ownUs`: the time by the replica's own clock. The database's counts if it is at most a second before or after. */
export interface ScheduleTransactions {
  /**
   * Creates or changes a schedule; the same content changes nothing. A non-empty etag must be the current one. If the
   * times change, `decide` first decides the past runs of the old times.
   */
  apply(
    spec: ScheduleSpec,
    etag: string,
    scheduleId: string,
    decide: DecideSchedule,
    ownUs: number,
  ): Promise<ScheduleChange>;
  /** An empty reason keeps the current one. */
  pause(name: ScheduleName, reason: string): Promise<ScheduleChange>;
  /** `decide` first decides the times that passed during the pause. */
  resume(name: ScheduleName, decide: DecideSchedule, ownUs: number): Promise<ScheduleChange>;
  /** Also deletes the record of its runs. Its jobs stay. */
  delete(name: ScheduleName): Promise<boolean>;
  /** Adds requested runs; existing ones stay unchanged. */
  ask(name: ScheduleName, runs: readonly PendingRun[]): Promise<ScheduleChange>;
  /** Locks some of the due schedules, decides each, and writes the decisions, in one transaction. */
  scan(decide: DecideSchedule, ownUs: number): Promise<ScannedSchedule[]>;
}

export type DecideSchedule = (schedule: Schedule, status: ScheduleStatus, nowUs: number) => ScheduleDecision;
