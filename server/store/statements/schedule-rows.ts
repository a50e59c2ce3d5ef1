/** Schedules and their runs as the rows of their tables hold them. */
import {
  type OverlapPolicy,
  overlapPolicies,
  type PendingRun,
  type ScheduleRunCause,
  type ScheduleRunState,
  type ScheduleSkipReason,
  scheduleRunCauses,
  scheduleRunStates,
  scheduleSkipReasons,
} from '../../domain/schedule.ts';
import type { Schedule, ScheduleRun } from '../../engine/schedule-views.ts';
import type { Row } from '../database.ts';

/** From codes in SQL to names. */
function names<T extends string>(codes: Readonly<Record<T, number>>): ReadonlyMap<number, T> {
  return new Map((Object.entries(codes) as [T, number][]).map(([name, code]) => [code, name]));
}

const stateNames = names<ScheduleRunState>(scheduleRunStates);
const reasonNames = names<ScheduleSkipReason>(scheduleSkipReasons);
const causeNames = names<ScheduleRunCause>(scheduleRunCauses);
const overlapNames = names<OverlapPolicy>(overlapPolicies);

export function scheduleOf(row: Row): Schedule {
  const metadata = row.input_metadata === null ? undefined : JSON.parse(row.input_metadata);
  const payload = { data: row.input, contentType: row.input_content_type };
  return {
    scheduleId: row.schedule_id,
    namespace: row.namespace,
    name: row.name,
    rules: JSON.parse(row.rules),
    job: { ...JSON.parse(row.job), input: metadata ? { ...payload, metadata } : payload },
    maxRuns: row.max_runs ?? undefined,
    description: row.description,
    paused: row.paused,
    pauseReason: row.pause_reason,
    etag: `${row.revision}-${Number(row.create_time).toString(36)}`,
    createTimeUs: row.create_time,
    updateTimeUs: row.update_time,
    jobs: row.jobs,
    nextTimeUs: row.next_time ?? undefined,
  };
}

export function pendingRunOf(row: Row): PendingRun {
  return {
    nominalUs: row.nominal_time,
    causeId: row.cause_id,
    cause: causeNames.get(row.cause) as ScheduleRunCause,
    overlap: overlapNames.get(row.overlap) as OverlapPolicy,
  };
}

export function runOf(row: Row): ScheduleRun {
  return {
    ...pendingRunOf(row),
    state: stateNames.get(row.state) as ScheduleRunState,
    skipReason: reasonNames.get(row.skip_reason),
    message: row.message ?? '',
    lastNominalUs: row.last_nominal_time ?? undefined,
    times: row.times,
    jobId: row.job_id ?? undefined,
    decideTimeUs: row.decide_time,
  };
}
