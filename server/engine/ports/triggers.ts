/** The store's port for what happens to triggers. Triggers themselves are stored as schedules. */
import type { Payload } from '../../domain/base/payload.ts';
import type { JobState } from '../../domain/jobs/job-state.ts';
import type { OverlapPolicy } from '../../domain/schedules/schedule.ts';
import type { HeldCause, StoredCause } from '../../domain/triggers/advance.ts';
import type { CauseFacts } from '../../domain/triggers/cause-value.ts';
import type { Cause, CauseSource } from '../../domain/triggers/condition.ts';
import type { Schedule } from './schedules.ts';

/** Something that happens, other than the end of a job. */
export interface NewHappening {
  readonly namespace: string;
  readonly source: Exclude<CauseSource, 'JOB'>;
  readonly name: string;
  /** Undefined: now. */
  readonly timeUs?: number | undefined;
  readonly jobId?: string | undefined;
  readonly version?: number | undefined;
  readonly nominalUs?: number | undefined;
  readonly signalKey?: string | undefined;
  readonly payload?: Payload | undefined;
}

export interface EndedJob {
  readonly jobId: string;
  readonly laneId: number;
  readonly state: JobState;
}

/** A new cause, as stored. */
export interface ReadCause extends StoredCause, CauseFacts {
  /** Of the present condition. */
  readonly isCurrent: boolean;
  readonly payload: Pick<Payload, 'data' | 'contentType'> | undefined;
}

/** Triggers with new causes. */
export interface CausedTriggers {
  readonly triggerIds: readonly string[];
  /** Whether any trigger is about ends of jobs. */
  readonly watchesJobs: boolean;
}

/** A trigger whose row is locked. */
export interface LockedTrigger {
  readonly trigger: Schedule;
  readonly generation: number;
  readonly nowUs: number;
}

export interface NewTriggerRun {
  readonly nominalUs: number;
  readonly causeId: string;
  readonly key: string;
  /** Text of JSON. */
  readonly input: Uint8Array;
}

/** What is held for a key, by number. */
export interface ProgressRow {
  readonly key: string;
  readonly number: number;
  readonly timeUs: number;
  readonly count: number;
  readonly expireUs: number;
}

export interface TriggerStore {
  /** Within `together`: stores each for the triggers that are about it and not paused. Resolves with their number. */
  cause(happenings: readonly NewHappening[]): Promise<number>;
  /** In the transaction that ends the jobs: the same for their ends. */
  causeByEnds(ends: readonly EndedJob[]): Promise<void>;
  /** Of a locked trigger that has none. */
  insertSources(triggerId: string, namespace: string, causes: readonly Cause[]): Promise<void>;
  dropSources(triggerId: string): Promise<void>;
  /** Everything that has happened so far. */
  dropAllCauses(triggerId: string): Promise<void>;
  /** Triggers with new causes, by id, after this one. */
  findCaused(afterTriggerId: string | undefined, limit: number): Promise<CausedTriggers>;
  /** Undefined: it is gone, or another replica has locked it. */
  lock(triggerId: string, ownUs: number): Promise<LockedTrigger | undefined>;
  exists(triggerId: string): Promise<boolean>;
  /** New causes of a locked trigger, oldest first; at most 100, fewer if they are large. */
  readNew(triggerId: string): Promise<ReadCause[]>;
  /** What a locked trigger holds for these keys and has not expired. */
  readHeld(triggerId: string, keys: readonly string[], nowUs: number): Promise<HeldCause[]>;
  /** The content of these causes; without the payloads of `withoutPayload`. */
  readCauses(rowIds: readonly number[], withoutPayload: readonly number[]): Promise<ReadCause[]>;
  dropCauses(rowIds: readonly number[]): Promise<void>;
  /** What a locked trigger holds for these keys and has expired. */
  dropExpiredOf(triggerId: string, keys: readonly string[], nowUs: number): Promise<void>;
  /** Each expires `expireMs` after it has happened. */
  hold(causes: readonly HeldCause[], expireMs: number): Promise<void>;
  /** Deletes the oldest that a trigger holds, beyond these maximums. Resolves with their number. */
  trim(triggerId: string, maxRows: number, maxBytes: number): Promise<number>;
  /** The same for its new causes. */
  trimNew(triggerId: string, maxRows: number, maxBytes: number): Promise<number>;
  /** Runs that wait, and the bytes of their inputs. */
  countWaiting(triggerId: string): Promise<{ readonly runs: number; readonly bytes: number }>;
  insertRuns(triggerId: string, overlap: OverlapPolicy, runs: readonly NewTriggerRun[]): Promise<void>;
  /** Counts its firings, and makes it due for a scan. */
  markAdvanced(triggerId: string, firings: number): Promise<void>;
  /** Keys after this one, with what is held for them; up to `limit` keys. */
  readProgress(triggerId: string, afterKey: string | undefined, limit: number): Promise<ProgressRow[]>;
}
