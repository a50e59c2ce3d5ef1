/** Options for the times and the job of a schedule, and their conversion to messages. */
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  CatchUpPolicy,
  durationFromMs,
  JobSubmissionSchema,
  OverlapPolicy,
  type Payload,
  type Schedule,
  ScheduleSchema,
  type ScheduleTimes,
  ScheduleTimesSchema,
} from '@muster-jobs/sdk/grpc';
import { type Command, InvalidArgumentError } from 'commander';
import type { DefinitionRef } from './definition-name.ts';
import { label } from './labels.ts';
import { integer, repeated } from './numbers.ts';
import { span, time } from './spans.ts';

export interface TimesOptions {
  readonly cron?: readonly string[];
  readonly every?: readonly number[];
  readonly zone?: string;
  readonly startAt?: Date;
  readonly endAt?: Date;
  readonly jitter?: number;
}

export interface ScheduleOptions extends TimesOptions, RepeatedJobOptions {
  readonly catchUp?: CatchUpPolicy;
  readonly catchUpWindow?: number;
  readonly maxRuns?: number;
}

/** Options of anything that submits a job again and again. */
export interface RepeatedJobOptions {
  readonly overlap?: OverlapPolicy;
  readonly pauseOnFailure?: true;
  readonly description?: string;
  readonly queue?: string;
  readonly priority?: number;
  readonly runTimeout?: number;
  readonly label?: Readonly<Record<string, string>>;
}

/** A parser for the lower-case names of an enum, such as `buffer-one`. */
function named<T extends number>(values: Readonly<Record<string, T>>): (text: string) => T {
  const names = Object.keys(values).filter((name) => name !== 'UNSPECIFIED');
  const spelled = names.map((name) => name.toLowerCase().replaceAll('_', '-'));
  return (text) => {
    const at = spelled.indexOf(text);
    if (at >= 0) return values[names[at] as string] as T;
    throw new InvalidArgumentError(`It takes one of ${spelled.join(', ')}.`);
  };
}

const overlap = named<OverlapPolicy>(OverlapPolicy);
const catchUp = named<CatchUpPolicy>(CatchUpPolicy);

function spans(text: string, before: readonly number[] = []): number[] {
  return [...before, span(text)];
}

export function addTimesOptions(command: Command): Command {
  return command
    .option(
      '--cron <fields>',
      'minute, hour, day, month, day of the week: "30 9 * * mon-fri"; may be repeated',
      repeated,
    )
    .option('--every <span>', 'interval, counted from 1970: 90s, 15m, 2d; may be repeated', spans)
    .option('--zone <name>', 'time zone of the cron expressions, such as Europe/Vienna (default: UTC)')
    .option('--start-at <time>', 'the first time that counts: 2026-05-04T09:30:00Z (default: from now on)', time)
    .option('--end-at <time>', 'times before this one count (default: for ever)', time)
    .option('--jitter <span>', 'each job starts up to this much later, chosen at random', span);
}

export function addOverlapOption(command: Command, usual: string): Command {
  return command.option(
    '--overlap <policy>',
    `while a job of it runs: skip, buffer-one, buffer-all, cancel-other, terminate-other or allow-all (default: ${usual})`,
    overlap,
  );
}

export function addScheduleOptions(command: Command): Command {
  addTimesOptions(command)
    .option('--catch-up <policy>', 'missed times to catch up: latest, all or none (default: latest)', catchUp)
    .option('--catch-up-window <span>', 'times missed longer ago are skipped (default: 1d)', span)
    .option('--max-runs <number>', 'number of jobs that its times may create', integer(1));
  return addRepeatedJobOptions(command, 'skip');
}

export function addRepeatedJobOptions(command: Command, usualOverlap: string): Command {
  return addOverlapOption(command, usualOverlap)
    .option('--pause-on-failure', 'pause after a job of it has ended FAILED')
    .option('--description <text>', 'description')
    .option('--queue <name>', "queue of its jobs (default: the definition's)")
    .option('--priority <number>', 'from -100 to 100; higher runs sooner', integer(-100, 100))
    .option('--run-timeout <span>', "longest time of an attempt (default: the definition's)", span)
    .option('-l, --label <key=value>', 'label of its jobs; may be repeated', label);
}

export function toTimes({ cron = [], every = [], zone = '', startAt, endAt, jitter }: TimesOptions): ScheduleTimes {
  return create(ScheduleTimesSchema, {
    crons: [...cron],
    intervals: every.map((ms) => ({ every: durationFromMs(ms) })),
    timeZone: zone,
    ...(startAt === undefined ? {} : { startTime: timestampFromDate(startAt) }),
    ...(endAt === undefined ? {} : { endTime: timestampFromDate(endAt) }),
    ...(jitter === undefined ? {} : { jitter: durationFromMs(jitter) }),
  });
}

/** The fields that a schedule and a trigger share. */
export function repeatedJobOf({ name, version }: DefinitionRef, options: RepeatedJobOptions) {
  const { priority, runTimeout } = options;
  return {
    job: create(JobSubmissionSchema, {
      definition: name,
      definitionVersion: version,
      queue: options.queue ?? '',
      labels: { ...options.label },
      ...(priority === undefined ? {} : { priority }),
      ...(runTimeout === undefined ? {} : { runTimeout: durationFromMs(runTimeout) }),
    }),
    overlapPolicy: options.overlap ?? OverlapPolicy.UNSPECIFIED,
    pauseOnFailure: options.pauseOnFailure ?? false,
    description: options.description ?? '',
  };
}

export function toSchedule(
  name: string,
  definition: DefinitionRef,
  options: ScheduleOptions,
  input: Payload | undefined,
): Schedule {
  const { catchUpWindow } = options;
  const shared = repeatedJobOf(definition, options);
  if (input !== undefined) shared.job.input = input;
  return create(ScheduleSchema, {
    ...shared,
    name,
    times: toTimes(options),
    catchUpPolicy: options.catchUp ?? CatchUpPolicy.UNSPECIFIED,
    ...(catchUpWindow === undefined ? {} : { catchUpWindow: durationFromMs(catchUpWindow) }),
    maxRuns: BigInt(options.maxRuns ?? 0),
  });
}
