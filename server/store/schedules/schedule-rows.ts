/** Converts schedules and their runs from rows. */
import { namesOf } from '../../domain/base/codes.ts';
import {
  type OverlapPolicy,
  overlapPolicies,
  type PendingRun,
  type ScheduleRunCause,
  type ScheduleRunState,
  scheduleRunCauses,
  scheduleRunStates,
  scheduleSkipReasons,
} from '../../domain/schedules/schedule.ts';
import type { Schedule, ScheduleRun } from '../../engine/ports/schedules.ts';
import type { Row } from '../driver/database.ts';

const stateOf = namesOf(scheduleRunStates);
const reasonOf = namesOf(scheduleSkipReasons);
const causeOf = namesOf(scheduleRunCauses);
const overlapOf = namesOf(overlapPolicies);

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
    cause: causeOf(row.cause) as ScheduleRunCause,
    overlap: overlapOf(row.overlap) as OverlapPolicy,
  };
}

export function runOf(row: Row): ScheduleRun {
  return {
    ...pendingRunOf(row),
    state: stateOf(row.state) as ScheduleRunState,
    skipReason: reasonOf(row.skip_reason),
    message: row.message ?? '',
    lastNominalUs: row.last_nominal_time ?? undefined,
    times: row.times,
    jobId: row.job_id ?? undefined,
    decideTimeUs: row.decide_time,
  };
}
