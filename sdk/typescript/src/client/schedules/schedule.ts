/** Converts schedules to messages of the contract. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { durationFromMs } from '../../duration.ts';
import type {
  CalendarRuleSchema,
  CatchUpPolicy,
  OverlapPolicy,
  Schedule,
  ScheduleTimes,
} from '../../gen/muster/v1/schedule_pb.ts';
import { ScheduleSchema, ScheduleTimesSchema } from '../../gen/muster/v1/schedule_pb.ts';
import { refuseUnknownFields } from '../../options/known-fields.ts';
import type { Known } from '../../options/known-options.ts';
import { refuseUnknownOptions, within } from '../../options/known-options.ts';
import type { JobOptions } from '../jobs/submission.ts';
import { jobSubmission } from '../jobs/submission.ts';

/** The times of a schedule: the union of all rules, without duplicates, minus the exclusions. */
export interface TimesInit {
  /** Cron expressions of five fields, such as `30 9 * * mon-fri`. At most 32. */
  readonly crons?: readonly string[];
  /** Every `everyMs` milliseconds, at least 1,000, counted from 1970-01-01 plus `offsetMs`. At most 32. */
  readonly intervals?: readonly { readonly everyMs: number; readonly offsetMs?: number }[];
  /** Times of day on the days that match all fields of a rule; each field has cron syntax. At most 32. */
  readonly calendars?: readonly MessageInitShape<typeof CalendarRuleSchema>[];
  /** Excluded times. At most 32. */
  readonly exclusions?: readonly MessageInitShape<typeof CalendarRuleSchema>[];
  /** Zone of the IANA database, such as `Europe/Vienna`. Default: `UTC`. */
  readonly timeZone?: string;
  /** Times from this one on count. Default: now. */
  readonly startTime?: Date;
  /** Times before this one count. Default: no end. */
  readonly endTime?: Date;
  /** Each job starts with a random delay of up to this many milliseconds. Default: 0. At most one day. */
  readonly jitterMs?: number;
}

/** Job options that a schedule sets for each of its jobs. */
export type ScheduledJobOptions = Pick<
  JobOptions,
  | 'definitionVersion'
  | 'labels'
  | 'priority'
  | 'queue'
  | 'fairnessKey'
  | 'retryPolicy'
  | 'runTimeoutMs'
  | 'softDeadline'
  | 'demands'
>;

export const scheduledJobOptions: Known<ScheduledJobOptions> = {
  definitionVersion: true,
  labels: true,
  priority: true,
  queue: true,
  fairnessKey: true,
  retryPolicy: true,
  runTimeoutMs: true,
  softDeadline: true,
  demands: true,
};

const timesInit: Known<TimesInit> = {
  crons: true,
  intervals: true,
  calendars: true,
  exclusions: true,
  timeZone: true,
  startTime: true,
  endTime: true,
  jitterMs: true,
};

const intervalOptions: Known<NonNullable<TimesInit['intervals']>[number]> = { everyMs: true, offsetMs: true };

/** A schedule: its times and its job. */
export interface ScheduleInit extends TimesInit {
  /** Lowercase letters, digits and `-`; at most 63 characters. */
  readonly name: string;
  /** The definition of its jobs. */
  readonly definition: string;
  /** The input of each job: any JSON value, a `Uint8Array`, a `Payload`, or nothing. */
  readonly input?: unknown;
  readonly job?: ScheduledJobOptions;
  /** What happens at a time when a job of an earlier time is still open. Default: SKIP. */
  readonly overlapPolicy?: OverlapPolicy;
  /** What happens to times that passed while no replica was running. Default: LATEST. */
  readonly catchUpPolicy?: CatchUpPolicy;
  /** Missed times older than this, in milliseconds, are skipped. Default: one day. */
  readonly catchUpWindowMs?: number;
  /** Pauses the schedule when one of its jobs fails permanently or expires. Default: false. */
  readonly pauseOnFailure?: boolean;
  /** Maximum number of jobs. Default: no limit. */
  readonly maxRuns?: number;
  /** Shown to operators. At most 1,024 characters. */
  readonly description?: string;
  /** Etag of the schedule as read. If the schedule has changed since, the call fails. Default: no check. */
  readonly etag?: string;
}

const scheduleInit: Known<ScheduleInit> = {
  ...timesInit,
  name: true,
  definition: true,
  input: true,
  job: true,
  overlapPolicy: true,
  catchUpPolicy: true,
  catchUpWindowMs: true,
  pauseOnFailure: true,
  maxRuns: true,
  description: true,
  etag: true,
};

/**
 * @param call The call, for errors.
 * @throws TypeError when a field is unknown.
 */
export function timesMessage(init: TimesInit, call: string): ScheduleTimes {
  refuseUnknownOptions(call, init, timesInit);
  return convertedTimes(init, call);
}

function convertedTimes(init: TimesInit, call: string): ScheduleTimes {
  const { crons = [], intervals = [], calendars = [], exclusions = [], timeZone = '' } = init;
  for (const [i, interval] of intervals.entries())
    refuseUnknownOptions(`${within(call, 'intervals')}[${i}]`, interval, intervalOptions);
  refuseUnknownFields(call, ScheduleTimesSchema, { calendars, exclusions });
  const times = create(ScheduleTimesSchema, {
    crons: [...crons],
    intervals: intervals.map(({ everyMs, offsetMs }) => ({
      every: durationFromMs(everyMs),
      ...(offsetMs === undefined ? {} : { offset: durationFromMs(offsetMs) }),
    })),
    calendars: [...calendars],
    exclusions: [...exclusions],
    timeZone,
  });
  if (init.startTime !== undefined) times.startTime = timestampFromDate(init.startTime);
  if (init.endTime !== undefined) times.endTime = timestampFromDate(init.endTime);
  if (init.jitterMs !== undefined) times.jitter = durationFromMs(init.jitterMs);
  return times;
}

/**
 * @param call The call, for errors.
 * @throws TypeError when a field is unknown, or the input can't be written as JSON.
 */
export function scheduleMessage(init: ScheduleInit, namespace: string, call: string): Schedule {
  refuseUnknownOptions(call, init, scheduleInit);
  const { name, definition, input, job = {}, description = '', etag = '', maxRuns = 0, pauseOnFailure = false } = init;
  refuseUnknownOptions(within(call, 'job'), job, scheduledJobOptions);
  const schedule = create(ScheduleSchema, {
    namespace,
    name,
    times: convertedTimes(init, call),
    job: jobSubmission(definition, input, job, within(call, 'job')),
    description,
    etag,
    maxRuns: BigInt(maxRuns),
    pauseOnFailure,
  });
  if (init.overlapPolicy !== undefined) schedule.overlapPolicy = init.overlapPolicy;
  if (init.catchUpPolicy !== undefined) schedule.catchUpPolicy = init.catchUpPolicy;
  if (init.catchUpWindowMs !== undefined) schedule.catchUpWindow = durationFromMs(init.catchUpWindowMs);
  return schedule;
}
