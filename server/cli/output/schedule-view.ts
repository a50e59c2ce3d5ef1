/** Shows schedules, their times and their runs. */
import { type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt';
import {
  CatchUpPolicy,
  durationToMs,
  type JobSubmission,
  OverlapPolicy,
  type Schedule,
  type ScheduleRun,
  ScheduleRunCause,
  ScheduleRunState,
  ScheduleSkipReason,
  type ScheduleTimes,
} from '@muster-jobs/sdk/grpc';
import { countText, durationText, spanText } from '../../view/times.ts';
import type { Output } from './output.ts';
import type { Column } from './table.ts';
import { timeText } from './times.ts';

/** Local time in a zone with its offset, such as `Sun 2026-03-08 03:00:00 -04:00`. */
export function wallText(time: Timestamp, timeZone: string): string {
  const date = timestampDate(time);
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  });
  const part = Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, value]));
  const offset = (part.timeZoneName ?? '').replace('GMT', '') || '+00:00';
  return `${part.weekday} ${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}:${part.second} ${offset}`;
}

/** The name of an enum's value; its number if a newer server sends an unknown one. */
export function nameIn(values: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(values).find((name) => values[name] === value) ?? String(value);
}

/** In lower case, as in options. */
export function spelled(values: Readonly<Record<string, number>>, value: number): string {
  return nameIn(values, value).toLowerCase().replaceAll('_', '-');
}

/** Its times in one line. */
export function rulesText(times: ScheduleTimes | undefined): string {
  if (times === undefined) return '';
  const parts = [
    ...times.crons.map((cron) => `"${cron}"`),
    ...times.intervals.map(({ every }) => `every ${durationText(every)}`),
    ...(times.calendars.length > 0 ? [countText(times.calendars.length, 'calendar rule')] : []),
  ];
  const less = times.exclusions.length > 0 ? `, less ${countText(times.exclusions.length, 'exclusion')}` : '';
  return `${parts.join(', ')}${less} in ${times.timeZone}`;
}

export function scheduleColumns(out: Output): Column<Schedule>[] {
  const isOver = (schedule: Schedule) => !schedule.paused && noNextText(schedule) === OVER;
  return [
    { title: 'SCHEDULE', value: ({ name }) => name },
    {
      title: 'STATE',
      value: (schedule) => (schedule.paused ? 'paused' : isOver(schedule) ? 'over' : 'on'),
      style: (text, { paused }) => (paused ? out.styled('magenta', text) : text),
    },
    { title: 'NEXT', value: ({ nextTime }) => nextText(nextTime) },
    { title: 'JOBS', value: ({ jobCount }) => String(jobCount) },
    { title: 'DEFINITION', value: ({ job }) => job?.definition ?? '' },
    { title: 'TIMES', value: ({ times }) => rulesText(times), min: 8 },
    { title: 'REMARK', value: ({ pauseReason, description }) => pauseReason || description, min: 6 },
  ];
}

const OVER = 'it is over';

/** Why it has no next time; empty: it has one. */
function noNextText({ nextTime, times }: Schedule): string {
  if (nextTime) return '';
  // The server does not say which: it may still be searching.
  return times?.exclusions.length ? 'it is over, or the next time follows many excluded ones' : OVER;
}

function nextText(next: Timestamp | undefined): string {
  return next === undefined ? '' : `in ${spanText(Math.max(0, timestampDate(next).getTime() - Date.now()))}`;
}

export function showSchedule(out: Output, schedule: Schedule): void {
  const { times, job, paused } = schedule;
  out.line(`${out.styled('bold', `Schedule ${schedule.name}`)}  ${paused ? out.styled('magenta', 'paused') : 'on'}`);
  const jitter = times?.jitter && durationToMs(times.jitter, 0) > 0 ? durationText(times.jitter) : '';
  out.facts(
    [
      ['namespace', schedule.namespace],
      ['for', schedule.description],
      ['paused for', schedule.pauseReason],
      ['times', rulesText(times)],
      ['jitter', jitter],
      ['from', timeText(times?.startTime)],
      ['until', timeText(times?.endTime)],
      ['next', schedule.nextTime ? timeText(schedule.nextTime) : `none: ${noNextText(schedule)}`],
      ['definition', definitionText(job)],
      ['queue', job?.queue ?? ''],
      ['overlap', spelled(OverlapPolicy, schedule.overlapPolicy)],
      ['catch-up', `${spelled(CatchUpPolicy, schedule.catchUpPolicy)}, within ${durationText(schedule.catchUpWindow)}`],
      ['on failure', schedule.pauseOnFailure ? 'it pauses' : ''],
      ['jobs', `${schedule.jobCount}${schedule.maxRuns > 0n ? ` of ${schedule.maxRuns} by its times` : ''}`],
      ['made', timeText(schedule.createTime)],
      ['changed', timeText(schedule.updateTime)],
      ['etag', schedule.etag],
    ],
    '  ',
  );
}

/** The definition of a submission, with its version if that is fixed. */
export function definitionText(job: JobSubmission | undefined): string {
  return `${job?.definition ?? ''}${job?.definitionVersion ? `@${job.definitionVersion}` : ''}`;
}

/** Times in lines: in their zone, in UTC, and relative to now. */
export function showTimes(out: Output, times: readonly Timestamp[], timeZone: string): void {
  for (const time of times) {
    const [utc, distance] = timeText(time).split(' (');
    out.line(`${wallText(time, timeZone)}  ${out.styled('dim', `${utc} (${distance}`)}`);
  }
}

export function runColumns(out: Output): Column<ScheduleRun>[] {
  return [
    { title: 'TIME', value: ({ nominalTime }) => (nominalTime ? timestampDate(nominalTime).toISOString() : '') },
    runStateColumn(out),
    { title: 'BY', value: ({ cause }) => spelled(ScheduleRunCause, cause) },
    { title: 'JOB', value: ({ jobId }) => jobId },
    { title: 'WHY', value: whyText, min: 6 },
  ];
}

export function runStateColumn(out: Output): Column<{ readonly state: ScheduleRunState }> {
  return {
    title: 'STATE',
    value: ({ state }) => nameIn(ScheduleRunState, state),
    style: (text, { state }) => (state === ScheduleRunState.SKIPPED ? out.styled('yellow', text) : text),
  };
}

const reasons: Readonly<Record<number, string>> = {
  [ScheduleSkipReason.OVERLAP]: 'a job of an earlier time had not ended',
  [ScheduleSkipReason.BUFFER_FULL]: 'the maximum of waiting times was reached',
  [ScheduleSkipReason.REPLACED]: 'a later time replaced it',
  [ScheduleSkipReason.MISSED]: 'no server was running at that time',
  [ScheduleSkipReason.PAUSED]: 'it was paused',
  [ScheduleSkipReason.REFUSED]: 'its job was refused',
};

export function whyText(run: ScheduleRun): string {
  const { timeCount: times, lastNominalTime } = run;
  const more = lastNominalTime ? `; ${times} times, the last ${timestampDate(lastNominalTime).toISOString()}` : '';
  return `${whyNoJobText(run)}${more}`;
}

/** Why a run of a schedule or a trigger has no job; empty if it has one. */
export function whyNoJobText({
  state,
  skipReason,
  message,
}: Pick<ScheduleRun, 'state' | 'skipReason' | 'message'>): string {
  if (state === ScheduleRunState.BUFFERED) return 'waits for the end of the job before';
  if (state !== ScheduleRunState.SKIPPED) return '';
  return `${reasons[skipReason] ?? ''}${message === '' ? '' : `: ${message}`}`;
}
