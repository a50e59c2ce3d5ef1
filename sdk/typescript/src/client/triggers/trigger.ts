/** Converts triggers to messages of the contract, and builds their conditions. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '../../duration.ts';
import type { JobState } from '../../gen/muster/v1/job_pb.ts';
import type { OverlapPolicy } from '../../gen/muster/v1/schedule_pb.ts';
import type { Trigger, TriggerCauseSchema, TriggerCondition } from '../../gen/muster/v1/trigger_pb.ts';
import { TriggerConditionSchema, TriggerSchema } from '../../gen/muster/v1/trigger_pb.ts';
import { refuseUnknownFields } from '../../options/known-fields.ts';
import type { Known } from '../../options/known-options.ts';
import { refuseUnknownOptions, within } from '../../options/known-options.ts';
import { jobSubmission } from '../jobs/submission.ts';
import type { ScheduledJobOptions } from '../schedules/schedule.ts';
import { scheduledJobOptions } from '../schedules/schedule.ts';

/** Selects and groups causes. The expressions are CEL over `cause`, of at most 1,024 characters. */
export interface CauseOptions {
  /** Which of them count, such as `cause.payload.amount > 100`. Default: all. */
  readonly filter?: string;
  /**
   * Which causes belong together, such as `cause.payload.order`: the condition is met for each key separately. All
   * causes of a trigger have a key, or none has. Default: the empty key.
   */
  readonly key?: string;
}

const causeOptions: Known<CauseOptions> = { filter: true, key: true };

/** Selects ends of jobs. */
export interface JobCauseOptions extends CauseOptions {
  /** The end states that count. Default: SUCCEEDED. */
  readonly states?: readonly JobState[];
}

const jobCauseOptions: Known<JobCauseOptions> = { ...causeOptions, states: true };

/** A condition: from `whenSignal` and its siblings, or the message of the contract. */
export type ConditionInit = MessageInitShape<typeof TriggerConditionSchema>;

/** A trigger: its condition and its job, whose input is the causes that met the condition. */
export interface TriggerInit {
  /** Lowercase letters, digits and `-`; at most 63 characters. */
  readonly name: string;
  /** When it submits a job; see `whenSignal`, `whenAsset`, `whenJobEnds`, `whenScheduleRuns`, `allOf` and `anyOf`. */
  readonly condition: ConditionInit;
  /** The definition of its jobs. */
  readonly definition: string;
  readonly job?: ScheduledJobOptions;
  /** What happens when the condition is met while a job of an earlier time is still open. Default: ALLOW_ALL. */
  readonly overlapPolicy?: OverlapPolicy;
  /** Pauses the trigger when one of its jobs fails permanently or expires. Default: false. */
  readonly pauseOnFailure?: boolean;
  /**
   * A cause that has not led to a job is dropped after this many milliseconds, from 1,000 to 10 years. Default: 30 days.
   */
  readonly expireAfterMs?: number;
  /** Shown to operators. At most 1,024 characters. */
  readonly description?: string;
  /** Etag of the trigger as read. If the trigger has changed since, the call fails. Default: no check. */
  readonly etag?: string;
}

const triggerInit: Known<TriggerInit> = {
  name: true,
  condition: true,
  definition: true,
  job: true,
  overlapPolicy: true,
  pauseOnFailure: true,
  expireAfterMs: true,
  description: true,
  etag: true,
};

/** Met when a signal of this name is sent. */
export function whenSignal(name: string, options: CauseOptions = {}): TriggerCondition {
  refuseUnknownOptions('whenSignal', options, causeOptions);
  return causeCondition({ ...options, on: { case: 'signal', value: { name } } });
}

/** Met when the data asset is published. */
export function whenAsset(name: string, options: CauseOptions = {}): TriggerCondition {
  refuseUnknownOptions('whenAsset', options, causeOptions);
  return causeCondition({ ...options, on: { case: 'asset', value: { name } } });
}

/** Met when a job of the definition ends, also one that is a step of a workflow or a member of a batch. */
export function whenJobEnds(definition: string, options: JobCauseOptions = {}): TriggerCondition {
  refuseUnknownOptions('whenJobEnds', options, jobCauseOptions);
  const { states = [], ...rest } = options;
  return causeCondition({ ...rest, on: { case: 'job', value: { definition, states: [...states] } } });
}

/** Met when the schedule starts one of its runs. */
export function whenScheduleRuns(name: string, options: CauseOptions = {}): TriggerCondition {
  refuseUnknownOptions('whenScheduleRuns', options, causeOptions);
  return causeCondition({ ...options, on: { case: 'schedule', value: { name } } });
}

/** Relates the causes of all conditions. */
interface AllOfOptions {
  readonly withinMs?: number;
}

const allOfOptions: Known<AllOfOptions> = { withinMs: true };

/**
 * Met when all of the conditions are, of which there is at least one.
 *
 * @param options `withinMs`: the causes must come within this time of each other, from 1 ms to 10 years. Default: any
 *   time.
 */
export function allOf(conditions: readonly ConditionInit[], options: AllOfOptions = {}): TriggerCondition {
  refuseUnknownOptions('allOf', options, allOfOptions);
  const { withinMs } = options;
  refuseUnknownConditions('allOf', conditions);
  const span = withinMs === undefined ? {} : { within: durationFromMs(withinMs) };
  const value = { conditions: [...conditions], ...span };
  return create(TriggerConditionSchema, { kind: { case: 'allOf', value } });
}

/** Met when one of the conditions is, of which there is at least one. */
export function anyOf(conditions: readonly ConditionInit[]): TriggerCondition {
  refuseUnknownConditions('anyOf', conditions);
  return create(TriggerConditionSchema, { kind: { case: 'anyOf', value: { conditions: [...conditions] } } });
}

/**
 * @param call The call, for errors.
 * @throws TypeError when a field is unknown.
 */
export function triggerMessage(init: TriggerInit, namespace: string, call: string): Trigger {
  refuseUnknownOptions(call, init, triggerInit);
  refuseUnknownFields(within(call, 'condition'), TriggerConditionSchema, init.condition);
  const { name, condition, definition, job = {}, description = '', etag = '', pauseOnFailure = false } = init;
  refuseUnknownOptions(within(call, 'job'), job, scheduledJobOptions);
  const trigger = create(TriggerSchema, {
    namespace,
    name,
    condition,
    job: jobSubmission(definition, undefined, job, within(call, 'job')),
    description,
    etag,
    pauseOnFailure,
  });
  if (init.overlapPolicy !== undefined) trigger.overlapPolicy = init.overlapPolicy;
  if (init.expireAfterMs !== undefined) trigger.expireAfter = durationFromMs(init.expireAfterMs);
  return trigger;
}

function refuseUnknownConditions(call: string, conditions: readonly ConditionInit[]): void {
  for (const [i, condition] of conditions.entries())
    refuseUnknownFields(`${call}: conditions[${i}]`, TriggerConditionSchema, condition);
}

function causeCondition(cause: MessageInitShape<typeof TriggerCauseSchema>): TriggerCondition {
  return create(TriggerConditionSchema, { kind: { case: 'cause', value: cause } });
}
