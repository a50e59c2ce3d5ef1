/** Converts schedules and their runs between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  ScheduleRunSchema,
  ScheduleSchema,
  type ScheduleRun as WireRun,
  type Schedule as WireSchedule,
} from '@muster-jobs/sdk/gen/muster/v1/schedule_pb';
import { namesOf } from '../../domain/base/codes.ts';
import {
  type CatchUpPolicy,
  catchUpPolicies,
  type OverlapPolicy,
  overlapPolicies,
  type PendingRun,
  scheduleRunCauses,
  scheduleRunStates,
  scheduleSkipReasons,
} from '../../domain/schedules/schedule.ts';
import type { Schedule, ScheduleRun, ScheduleSpec } from '../../engine/ports/schedules.ts';
import { checkName, checkProse, checkText, counterOf, durationMs, TEN_YEARS_MS } from '../base/checks.ts';
import { durationTo, timestampTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';
import { plannedJobFrom, plannedJobTo } from '../jobs/convert-planned-job.ts';
import { scheduleTimesFrom, scheduleTimesTo } from './convert-schedule-times.ts';

const DAY_MS = 86_400_000;
/** Two of the 64 labels of a job are the schedule's. */
const planned = { field: 'schedule.job', of: 'a schedule', maxLabels: 62 };

const overlapOf = namesOf(overlapPolicies);
const catchUpOf = namesOf(catchUpPolicies);

export function policyFrom<T extends string>(
  nameOf: (code: number) => T | undefined,
  code: number,
  usual: T,
  field: string,
  violations: Violations,
): T {
  if (code === 0) return usual;
  const found = nameOf(code);
  violations.check(found !== undefined, field, `has the unknown value ${code}`);
  return found ?? usual;
}

/** Undefined if unset. */
export function overlapFrom(code: number, field: string, violations: Violations): OverlapPolicy | undefined {
  return code === 0 ? undefined : policyFrom(overlapOf, code, 'SKIP', field, violations);
}

/** The schedule that a message describes, with its violations. */
export function scheduleFrom(
  wire: WireSchedule | undefined,
  maxPayload: number,
  violations: Violations,
): ScheduleSpec & { readonly etag: string } {
  violations.check(wire !== undefined, 'schedule', 'is missing');
  const schedule = wire ?? create(ScheduleSchema, { name: 'missing' });
  const namespace = schedule.namespace || 'default';
  checkName(namespace, 'schedule.namespace', violations);
  checkName(schedule.name, 'schedule.name', violations);
  checkProse(schedule.description, 1_024, 'schedule.description', violations);
  checkText(schedule.pauseReason, 256, 'schedule.pause_reason', violations);
  checkText(schedule.etag, 64, 'schedule.etag', violations);
  const window = durationMs(schedule.catchUpWindow, 10_000, TEN_YEARS_MS, 'schedule.catch_up_window', violations);
  const maxRuns = counterOf(schedule.maxRuns, 'schedule.max_runs', violations);
  const { times, jitterMs } = scheduleTimesFrom(schedule.times, 'schedule.times', violations);
  const { overlapPolicy, catchUpPolicy } = schedule;
  return {
    namespace,
    name: schedule.name,
    kind: 'SCHEDULE',
    etag: schedule.etag,
    description: schedule.description,
    maxRuns: maxRuns === 0 ? undefined : maxRuns,
    job: plannedJobFrom(schedule.job, planned, maxPayload, violations),
    rules: {
      times,
      jitterMs,
      overlap: policyFrom(overlapOf, overlapPolicy, 'SKIP', 'schedule.overlap_policy', violations),
      catchUp: policyFrom<CatchUpPolicy>(catchUpOf, catchUpPolicy, 'LATEST', 'schedule.catch_up_policy', violations),
      catchUpWindowMs: window ?? DAY_MS,
      pauseOnFailure: schedule.pauseOnFailure,
    },
  };
}

/** A `ScheduleSpec` lacks the fields that the server sets. */
export function scheduleTo(schedule: ScheduleSpec & Partial<Schedule>): WireSchedule {
  const { rules, createTimeUs, updateTimeUs, nextTimeUs } = schedule;
  return create(ScheduleSchema, {
    namespace: schedule.namespace,
    name: schedule.name,
    times: scheduleTimesTo(rules.times, rules.jitterMs),
    job: plannedJobTo(schedule.job),
    overlapPolicy: overlapPolicies[rules.overlap],
    catchUpPolicy: catchUpPolicies[rules.catchUp],
    catchUpWindow: durationTo(rules.catchUpWindowMs),
    pauseOnFailure: rules.pauseOnFailure,
    maxRuns: BigInt(schedule.maxRuns ?? 0),
    description: schedule.description,
    paused: schedule.paused ?? false,
    pauseReason: schedule.pauseReason ?? '',
    etag: schedule.etag ?? '',
    jobCount: BigInt(schedule.jobs ?? 0),
    ...(createTimeUs === undefined ? {} : { createTime: timestampTo(createTimeUs) }),
    ...(updateTimeUs === undefined ? {} : { updateTime: timestampTo(updateTimeUs) }),
    ...(nextTimeUs === undefined ? {} : { nextTime: timestampTo(nextTimeUs) }),
  });
}

type Run = PendingRun & Partial<ScheduleRun>;

export function scheduleRunTo(run: Run & Pick<ScheduleRun, 'state' | 'decideTimeUs' | 'times' | 'message'>): WireRun {
  return create(ScheduleRunSchema, {
    nominalTime: timestampTo(run.nominalUs),
    state: scheduleRunStates[run.state],
    jobId: run.jobId ?? '',
    skipReason: run.skipReason ? scheduleSkipReasons[run.skipReason] : 0,
    message: run.message,
    cause: scheduleRunCauses[run.cause],
    decideTime: timestampTo(run.decideTimeUs),
    timeCount: run.times,
    ...(run.lastNominalUs === undefined ? {} : { lastNominalTime: timestampTo(run.lastNominalUs) }),
  });
}
