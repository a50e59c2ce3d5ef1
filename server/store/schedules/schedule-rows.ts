/** Converts schedules and their runs from rows. */
import { namesOf } from '../../domain/base/codes.ts';
import {
  type OverlapPolicy,
  overlapPolicies,
  type PendingRun,
  type ScheduleKind,
  type ScheduleRunCause,
  type ScheduleRunState,
  scheduleKinds,
  scheduleRunCauses,
  scheduleRunStates,
  scheduleSkipReasons,
} from '../../domain/schedules/schedule.ts';
import type { LockedSchedule, Schedule, ScheduleRun } from '../../engine/ports/schedules.ts';
import type { RowType, RowWith } from '../driver/row-types.ts';

export const scheduleRunRowType = {
  schedule_id: 'uuid',
  nominal_time: 'timestamptz',
  cause_id: 'uuid',
  cause: 'int2',
  overlap: 'int2',
  state: 'int2',
  settled: 'bool',
  skip_reason: 'int2?',
  message: 'text?',
  last_nominal_time: 'timestamptz?',
  times: 'int4',
  job_id: 'uuid?',
  decide_time: 'timestamptz',
  key: 'text?',
} satisfies RowType;

export const scheduleRowType = {
  schedule_id: 'uuid',
  namespace: 'text',
  name: 'text',
  revision: 'int4',
  rules: 'text',
  job: 'text',
  input: 'bytea',
  input_content_type: 'text',
  input_metadata: 'text?',
  description: 'text',
  paused: 'bool',
  pause_reason: 'text',
  max_runs: 'int8?',
  runs_left: 'int8?',
  jobs: 'int8',
  decided_until: 'timestamptz',
  next_time: 'timestamptz?',
  scan_time: 'timestamptz?',
  create_time: 'timestamptz',
  update_time: 'timestamptz',
  kind: 'int2',
  condition: 'text?',
} satisfies RowType;

export type ScheduleRow = RowWith<typeof scheduleRowType>;
export type ScheduleRunRow = RowWith<typeof scheduleRunRowType>;
type PendingRunRow = Pick<ScheduleRunRow, 'nominal_time' | 'cause_id' | 'cause' | 'overlap'>;

const stateOf = namesOf(scheduleRunStates);
const reasonOf = namesOf(scheduleSkipReasons);
const causeOf = namesOf(scheduleRunCauses);
const overlapOf = namesOf(overlapPolicies);
const kindOf = namesOf(scheduleKinds);

export function scheduleOf(row: ScheduleRow): Schedule {
  const metadata = row.input_metadata === null ? undefined : JSON.parse(row.input_metadata);
  const payload = { data: row.input, contentType: row.input_content_type };
  return {
    scheduleId: row.schedule_id,
    namespace: row.namespace,
    name: row.name,
    kind: kindOf(row.kind) as ScheduleKind,
    rules: JSON.parse(row.rules),
    trigger: row.condition === null ? undefined : JSON.parse(row.condition),
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

export function lockedSchedule(row: ScheduleRow): LockedSchedule {
  return { schedule: scheduleOf(row), runsLeft: row.runs_left ?? undefined, decidedUntilUs: row.decided_until };
}

export function runStateOf({ state }: Pick<ScheduleRunRow, 'state'>): ScheduleRunState {
  return stateOf(state) as ScheduleRunState;
}

export function pendingRunOf(row: PendingRunRow): PendingRun {
  return {
    nominalUs: row.nominal_time,
    causeId: row.cause_id,
    cause: causeOf(row.cause) as ScheduleRunCause,
    overlap: overlapOf(row.overlap) as OverlapPolicy,
  };
}

export function runOf(row: ScheduleRunRow): ScheduleRun {
  return {
    ...pendingRunOf(row),
    state: runStateOf(row),
    skipReason: row.skip_reason === null ? undefined : reasonOf(row.skip_reason),
    message: row.message ?? '',
    lastNominalUs: row.last_nominal_time ?? undefined,
    times: row.times,
    jobId: row.job_id ?? undefined,
    decideTimeUs: row.decide_time,
    key: row.key ?? undefined,
  };
}
