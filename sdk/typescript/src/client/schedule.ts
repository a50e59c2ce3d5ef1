/** A schedule as a caller writes it, as the message that the server takes. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { durationFromMs } from '../duration.ts';
import type {
  CalendarRuleSchema,
  CatchUpPolicy,
  OverlapPolicy,
  Schedule,
  ScheduleTimes,
} from '../gen/muster/v1/schedule_pb.ts';
import { ScheduleSchema, ScheduleTimesSchema } from '../gen/muster/v1/schedule_pb.ts';
import type { JobOptions } from './submission.ts';
import { jobSubmission } from './submission.ts';

/** When a schedule submits its job: at the times of all of these together, each once, less the exclusions. */
export interface TimesInit {
  /** Cron expressions of five fields, such as `30 9 * * mon-fri`. At most 32. */
  readonly crons?: readonly string[];
  /** Every so many milliseconds, at least 1,000, counted from 1970 and `offsetMs` on. At most 32. */
  readonly intervals?: readonly { readonly everyMs: number; readonly offsetMs?: number }[];
  /** Times of day on days that fit all of a rule; each field is written as in a cron expression. At most 32. */
  readonly calendars?: readonly MessageInitShape<typeof CalendarRuleSchema>[];
  /** Times that are left out. At most 32. */
  readonly exclusions?: readonly MessageInitShape<typeof CalendarRuleSchema>[];
  /** Zone of the IANA database, such as `Europe/Vienna`. Default: `UTC`. */
  readonly timeZone?: string;
  /** The first time that counts. Default: from now on. */
  readonly startTime?: Date;
  /** Times before this one count. Default: for ever. */
  readonly endTime?: Date;
  /** Each job starts up to so many milliseconds later than its time, by chance. Default: 0. At most a day. */
  readonly jitterMs?: number;
}

/** What each job of a schedule may say of itself. */
export type ScheduledJobOptions = Pick<
  JobOptions,
  'definitionVersion' | 'labels' | 'priority' | 'queue' | 'fairnessKey' | 'retryPolicy' | 'runTimeoutMs' | 'demands'
>;

/** A schedule: when it submits a job, and which. */
export interface ScheduleInit extends TimesInit {
  /** Small letters, digits and `-`; at most 63. */
  readonly name: string;
  /** The definition of its jobs. */
  readonly definition: string;
  /** The input of each job: any JSON value, a `Uint8Array`, a `Payload`, or nothing. */
  readonly input?: unknown;
  readonly job?: ScheduledJobOptions;
  /** What happens when a time comes while a job of an earlier one has not ended. Default: SKIP. */
  readonly overlapPolicy?: OverlapPolicy;
  /** What happens to times that come while no replica is there. Default: LATEST. */
  readonly catchUpPolicy?: CatchUpPolicy;
  /** Times missed longer ago, in milliseconds, are skipped. Default: a day. */
  readonly catchUpWindowMs?: number;
  /** Pauses the schedule when a job of it has failed for good or has expired. Default: no. */
  readonly pauseOnFailure?: boolean;
  /** Jobs that its times may give. Default: any number. */
  readonly maxRuns?: number;
  /** For people. At most 1,024 characters. */
  readonly description?: string;
  /** Of the schedule as it was read: a change by somebody else since then is not overwritten. Default: whatever it is. */
  readonly etag?: string;
}

export function timesMessage(init: TimesInit): ScheduleTimes {
  const { crons = [], intervals = [], calendars = [], exclusions = [], timeZone = '' } = init;
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

/** @throws TypeError when the input can't be written as JSON. */
export function scheduleMessage(init: ScheduleInit, namespace: string): Schedule {
  const { name, definition, input, job = {}, description = '', etag = '', maxRuns = 0, pauseOnFailure = false } = init;
  const schedule = create(ScheduleSchema, {
    namespace,
    name,
    times: timesMessage(init),
    job: jobSubmission(definition, input, job),
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
