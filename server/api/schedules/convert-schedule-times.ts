/** Converts the times of schedules between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  ScheduleTimesSchema,
  type CalendarRule as WireRule,
  type ScheduleTimes as WireTimes,
} from '@muster-jobs/sdk/gen/muster/v1/schedule_pb';
import { type CalendarRule, type ScheduleTimes, timesProblems } from '../../domain/schedules/nominal-times.ts';
import { durationMs, TEN_YEARS_MS, timestampUs } from '../base/checks.ts';
import { durationTo, timestampTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';

const MAX_RULES = 32;
const DAY_MS = 86_400_000;

export interface JitteredTimes {
  readonly times: ScheduleTimes;
  readonly jitterMs: number;
}

function ruleFrom({ minute, hour, dayOfMonth, month, dayOfWeek, year }: WireRule): CalendarRule {
  return { minute, hour, dayOfMonth, month, dayOfWeek, year };
}

function intervalsFrom(wire: WireTimes, path: string, violations: Violations): ScheduleTimes['intervals'] {
  return wire.intervals.slice(0, MAX_RULES).map(({ every, offset }, i) => {
    const at = `${path}.intervals[${i}]`;
    violations.check(every !== undefined, `${at}.every`, 'is missing: say how often, such as 15m');
    const everyMs = durationMs(every, 1_000, TEN_YEARS_MS, `${at}.every`, violations) ?? 1_000;
    const offsetMs = durationMs(offset, 0, TEN_YEARS_MS, `${at}.offset`, violations) ?? 0;
    violations.check(offsetMs === 0 || offsetMs < everyMs, `${at}.offset`, 'must be shorter than every');
    return { everyMs, offsetMs };
  });
}

function checkNumbers(wire: WireTimes, path: string, violations: Violations): void {
  for (const list of ['crons', 'intervals', 'calendars', 'exclusions'] as const) {
    const { length } = wire[list];
    violations.check(length <= MAX_RULES, `${path}.${list}`, `has ${length} entries; at most ${MAX_RULES} are allowed`);
  }
  const named = wire.crons.length + wire.intervals.length + wire.calendars.length;
  violations.check(named > 0, path, 'names no time: it needs a cron expression, an interval or a calendar rule');
}

/** Adds the violations of the rules; if there are any, the result must not be used. */
export function scheduleTimesFrom(given: WireTimes | undefined, path: string, violations: Violations): JitteredTimes {
  const wire = given ?? create(ScheduleTimesSchema);
  checkNumbers(wire, path, violations);
  const startUs = timestampUs(wire.startTime, `${path}.start_time`, violations);
  const endUs = timestampUs(wire.endTime, `${path}.end_time`, violations);
  violations.check(
    startUs === undefined || endUs === undefined || startUs < endUs,
    `${path}.end_time`,
    'must be later than start_time',
  );
  const times: ScheduleTimes = {
    crons: wire.crons.slice(0, MAX_RULES),
    intervals: intervalsFrom(wire, path, violations),
    calendars: wire.calendars.slice(0, MAX_RULES).map(ruleFrom),
    exclusions: wire.exclusions.slice(0, MAX_RULES).map(ruleFrom),
    timeZone: wire.timeZone || 'UTC',
    startUs,
    endUs,
  };
  for (const { field, problem } of timesProblems(times)) violations.add(`${path}.${field}`, problem);
  return { times, jitterMs: durationMs(wire.jitter, 0, DAY_MS, `${path}.jitter`, violations) ?? 0 };
}

export function scheduleTimesTo(times: ScheduleTimes, jitterMs: number): WireTimes {
  const { startUs, endUs } = times;
  return create(ScheduleTimesSchema, {
    crons: [...times.crons],
    intervals: times.intervals.map(({ everyMs, offsetMs }) => ({
      every: durationTo(everyMs),
      ...(offsetMs === 0 ? {} : { offset: durationTo(offsetMs) }),
    })),
    calendars: times.calendars.map((rule) => ({ ...rule })),
    exclusions: times.exclusions.map((rule) => ({ ...rule })),
    timeZone: times.timeZone,
    ...(startUs === undefined ? {} : { startTime: timestampTo(startUs) }),
    ...(endUs === undefined ? {} : { endTime: timestampTo(endUs) }),
    ...(jitterMs === 0 ? {} : { jitter: durationTo(jitterMs) }),
  });
}
