/** Converts triggers, their runs and their progress between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  TriggerProgressSchema,
  TriggerRunSchema,
  TriggerSchema,
  type TriggerProgress as WireProgress,
  type TriggerRun as WireRun,
  type Trigger as WireTrigger,
} from '@muster-jobs/sdk/gen/muster/v1/trigger_pb';
import { overlapPolicies, scheduleRunStates, scheduleSkipReasons } from '../../domain/schedules/schedule.ts';
import type { Schedule, ScheduleRun, ScheduleSpec, TriggerRules } from '../../engine/ports/schedules.ts';
import type { KeyProgress } from '../../engine/triggers/trigger-progress.ts';
import { checkName, checkProse, checkText, durationMs, TEN_YEARS_MS } from '../base/checks.ts';
import { durationTo, timestampTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';
import { plannedJobFrom, plannedJobTo } from '../jobs/convert-planned-job.ts';
import { overlapFrom } from '../schedules/convert-schedule.ts';
import { conditionFrom, conditionTo } from './convert-condition.ts';

const THIRTY_DAYS_MS = 30 * 86_400_000;
/** One of the 64 labels of a job is the trigger's. */
const planned = { field: 'trigger.job', of: 'a trigger', maxLabels: 63 };

/** A trigger has no times. */
const noTimes = { crons: [], intervals: [], calendars: [], exclusions: [], timeZone: 'UTC' };
const asSchedule = { times: noTimes, jitterMs: 0, catchUp: 'NONE', catchUpWindowMs: 86_400_000 } as const;

/** The trigger that a message describes, with its violations. */
export function triggerFrom(
  wire: WireTrigger | undefined,
  maxPayload: number,
  violations: Violations,
): ScheduleSpec & { readonly etag: string } {
  violations.check(wire !== undefined, 'trigger', 'is missing');
  const trigger = wire ?? create(TriggerSchema, { name: 'missing' });
  const namespace = trigger.namespace || 'default';
  checkName(namespace, 'trigger.namespace', violations);
  checkName(trigger.name, 'trigger.name', violations);
  checkProse(trigger.description, 1_024, 'trigger.description', violations);
  checkText(trigger.pauseReason, 256, 'trigger.pause_reason', violations);
  checkText(trigger.etag, 64, 'trigger.etag', violations);
  const expireMs = durationMs(trigger.expireAfter, 1_000, TEN_YEARS_MS, 'trigger.expire_after', violations);
  const overlap = overlapFrom(trigger.overlapPolicy, 'trigger.overlap_policy', violations) ?? 'ALLOW_ALL';
  violations.check(
    trigger.job?.input === undefined,
    'trigger.job.input',
    'must be unset: the input of the job is what caused it',
  );
  return {
    namespace,
    name: trigger.name,
    kind: 'TRIGGER',
    etag: trigger.etag,
    description: trigger.description,
    job: plannedJobFrom(trigger.job, planned, maxPayload, violations),
    rules: { ...asSchedule, overlap, pauseOnFailure: trigger.pauseOnFailure },
    trigger: {
      condition: conditionFrom(trigger.condition, 'trigger.condition', violations),
      expireMs: expireMs ?? THIRTY_DAYS_MS,
    },
  };
}

/** A `ScheduleSpec` lacks the fields that the server sets. */
export function triggerTo(stored: ScheduleSpec & Partial<Schedule>): WireTrigger {
  const { rules, createTimeUs, updateTimeUs } = stored;
  const { condition, expireMs } = stored.trigger as TriggerRules;
  const { input: _unset, ...job } = plannedJobTo(stored.job);
  return create(TriggerSchema, {
    namespace: stored.namespace,
    name: stored.name,
    condition: conditionTo(condition),
    job,
    overlapPolicy: overlapPolicies[rules.overlap],
    pauseOnFailure: rules.pauseOnFailure,
    expireAfter: durationTo(expireMs),
    description: stored.description,
    paused: stored.paused ?? false,
    pauseReason: stored.pauseReason ?? '',
    etag: stored.etag ?? '',
    jobCount: BigInt(stored.jobs ?? 0),
    ...(createTimeUs === undefined ? {} : { createTime: timestampTo(createTimeUs) }),
    ...(updateTimeUs === undefined ? {} : { updateTime: timestampTo(updateTimeUs) }),
  });
}

export function triggerRunTo(run: ScheduleRun): WireRun {
  return create(TriggerRunSchema, {
    time: timestampTo(run.nominalUs),
    key: run.key ?? '',
    state: scheduleRunStates[run.state],
    jobId: run.jobId ?? '',
    skipReason: run.skipReason ? scheduleSkipReasons[run.skipReason] : 0,
    message: run.message,
    decideTime: timestampTo(run.decideTimeUs),
  });
}

export function progressTo({ key, held, missing, sinceUs, expireUs }: KeyProgress): WireProgress {
  return create(TriggerProgressSchema, {
    key,
    held: held.map(({ number, text, timeUs, count }) => ({
      condition: number,
      text,
      time: timestampTo(timeUs),
      count: BigInt(count),
    })),
    missing: [...missing],
    sinceTime: timestampTo(sinceUs),
    expireTime: timestampTo(expireUs),
  });
}
