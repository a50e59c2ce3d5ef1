/**
 * Temporal's overlap policies, one by one: which times start while a job of an earlier time runs. Each row gives
 * Temporal's behaviour, and where Muster differs, also Muster's.
 */
import { describe, expect, it } from 'vitest';
import type { OverlapPolicy, ScheduleRules } from '../../../server/domain/schedules/schedule.ts';
import { MINUTE, NOON_US, ScheduleWorld, SECOND } from '../../support/base/schedule-world.ts';

type Temporal = 'Skip' | 'BufferOne' | 'BufferAll' | 'CancelOther' | 'TerminateOther' | 'AllowAll';

const ours: Readonly<Record<Temporal, OverlapPolicy>> = {
  Skip: 'SKIP',
  BufferOne: 'BUFFER_ONE',
  BufferAll: 'BUFFER_ALL',
  CancelOther: 'CANCEL_OTHER',
  TerminateOther: 'TERMINATE_OTHER',
  AllowAll: 'ALLOW_ALL',
};

interface Scenario {
  readonly what: string;
  /** Run time of each job. A cancelled job ends a second later. */
  readonly seconds: number;
  readonly firstFails?: true;
  readonly rules?: Partial<ScheduleRules>;
  /** When Temporal starts the times from 12:01 on, one per minute; a word is the reason why a time does not start. */
  readonly starts: Readonly<Record<Temporal, string>>;
  /** Muster's starts where they differ. */
  readonly differs?: Readonly<Partial<Record<Temporal, readonly [starts: string, why: string]>>>;
}

const onTime = '12:01:00 12:02:00 12:03:00 12:04:00 12:05:00';
/** Temporal waits for the terminated run, which ends at once; here it ends a second later, as with a cancel. */
const atOnce = 'Muster starts at once, next to the remainder of the cancelled run';

/** For runs of a minute and a half. */
const behind: Scenario['starts'] = {
  Skip: '12:01:00 OVERLAP 12:03:00 OVERLAP 12:05:00',
  BufferOne: '12:01:00 12:02:30 12:04:00 12:05:30 BUFFER_FULL',
  BufferAll: '12:01:00 12:02:30 12:04:00 12:05:30 12:07:00',
  CancelOther: '12:01:00 12:02:01 12:03:01 12:04:01 12:05:01',
  TerminateOther: '12:01:00 12:02:01 12:03:01 12:04:01 12:05:01',
  AllowAll: onTime,
};

const scenarios: readonly Scenario[] = [
  {
    what: 'the running one ends before the next time',
    seconds: 30,
    starts: {
      Skip: onTime,
      BufferOne: onTime,
      BufferAll: onTime,
      CancelOther: onTime,
      TerminateOther: onTime,
      AllowAll: onTime,
    },
  },
  {
    what: 'the running one ends after the next time',
    seconds: 90,
    starts: behind,
    differs: { TerminateOther: [onTime, atOnce] },
  },
  {
    what: 'several times come while one runs',
    seconds: 150,
    starts: {
      Skip: '12:01:00 OVERLAP OVERLAP 12:04:00 OVERLAP',
      BufferOne: '12:01:00 12:03:30 BUFFER_FULL 12:06:00 BUFFER_FULL',
      BufferAll: '12:01:00 12:03:30 12:06:00 12:08:30 12:11:00',
      CancelOther: '12:01:00 12:02:01 12:03:01 12:04:01 12:05:01',
      TerminateOther: '12:01:00 12:02:01 12:03:01 12:04:01 12:05:01',
      AllowAll: onTime,
    },
    differs: { TerminateOther: [onTime, atOnce] },
  },
  {
    what: 'the first one fails, which is an end like any other',
    seconds: 90,
    firstFails: true,
    starts: behind,
    differs: { TerminateOther: [onTime, atOnce] },
  },
  {
    what: 'the first one fails, and that pauses the schedule; one that is cancelled or terminated does not',
    seconds: 90,
    firstFails: true,
    rules: { pauseOnFailure: true },
    starts: {
      Skip: '12:01:00 OVERLAP PAUSED PAUSED PAUSED',
      BufferOne: '12:01:00 dropped PAUSED PAUSED PAUSED',
      BufferAll: '12:01:00 dropped PAUSED PAUSED PAUSED',
      CancelOther: '12:01:00 12:02:01 12:03:01 12:04:01 12:05:01',
      TerminateOther: '12:01:00 12:02:01 12:03:01 12:04:01 12:05:01',
      AllowAll: '12:01:00 12:02:00 PAUSED PAUSED PAUSED',
    },
    differs: {
      BufferOne: ['12:01:00 BUFFERED PAUSED PAUSED PAUSED', 'what waits is kept until the schedule is resumed'],
      BufferAll: ['12:01:00 BUFFERED PAUSED PAUSED PAUSED', 'what waits is kept until the schedule is resumed'],
      TerminateOther: [onTime, atOnce],
    },
  },
];

const rows = scenarios.flatMap(({ what, seconds, firstFails, rules, starts, differs }) =>
  (Object.keys(ours) as Temporal[]).map((policy) => {
    const [expected, why] = differs?.[policy] ?? [starts[policy], 'as Temporal'];
    return { what, seconds, firstFails, rules, policy, expected, why };
  }),
);

const clock = (us: number) => new Date(us / 1_000).toISOString().slice(11, 19);

/** The outcome of the times from 12:01 to 12:05, polled each second. */
function startsOf(schedule: ScheduleWorld): string {
  for (let nowUs = NOON_US; nowUs < NOON_US + 15 * MINUTE; nowUs += SECOND) schedule.scan(nowUs);
  const found = [1, 2, 3, 4, 5].map((minute) => {
    const nominalUs = NOON_US + minute * MINUTE;
    const start = schedule.starts.find((one) => one.nominalUs === nominalUs);
    return start ? clock(start.atUs) : schedule.fates.get(nominalUs)?.at(-1);
  });
  return found.join(' ');
}

describe('Temporal’s overlap policies', () => {
  it.each(rows)('with $policy, where $what: $expected ($why)', ({ seconds, firstFails, rules, policy, expected }) => {
    const isFailure = (start: number) => firstFails === true && start === 1;
    const changes = { ...rules, overlap: ours[policy] };
    expect(startsOf(new ScheduleWorld(changes, undefined, () => seconds * SECOND, isFailure))).toBe(expected);
  });

  it('are all covered, and no others', () => {
    expect(new Set(Object.values(ours)).size).toBe(6);
    for (const { starts } of scenarios) expect(Object.keys(starts)).toEqual(Object.keys(ours));
  });
});
