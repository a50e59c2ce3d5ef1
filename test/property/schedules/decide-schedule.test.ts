/** Decisions of schedules: each time once, whatever the scan times; overlap and catch-up as their policies say. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideSchedule, jitterOf, TIME_CAUSE_ID } from '../../../server/domain/schedules/decide-schedule.ts';
import {
  type CatchUpPolicy,
  catchUpPolicies,
  type OverlapPolicy,
  overlapPolicies,
  type PendingRun,
} from '../../../server/domain/schedules/schedule.ts';
import { MINUTE, NOON_US, ScheduleWorld, SECOND, times } from '../../support/base/schedule-world.ts';

const overlaps = Object.keys(overlapPolicies) as OverlapPolicy[];
const catchUps = Object.keys(catchUpPolicies) as CatchUpPolicy[];

describe('a schedule', () => {
  const world = fc.record({
    overlap: fc.constantFrom(...overlaps),
    catchUp: fc.constantFrom(...catchUps),
    catchUpWindowMs: fc.constantFrom(10_000, 300_000, 86_400_000),
    jitterMs: fc.constantFrom(0, 30_000, 600_000),
  });
  const lengths = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 });
  const gaps = fc.array(fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 900 })), {
    minLength: 1,
    maxLength: 60,
  });

  it('starts or skips each of its times once, whenever it is scanned', () => {
    fc.assert(
      fc.property(world, lengths, gaps, fc.option(fc.integer({ min: 0, max: 8 })), (changes, long, scans, most) => {
        const schedule = new ScheduleWorld(
          changes,
          most ?? undefined,
          (start) => (long[start % long.length] as number) * SECOND,
        );
        let nowUs = NOON_US;
        for (const gap of scans) {
          nowUs += gap * SECOND;
          schedule.scan(nowUs);
        }
        const { decidedUntilUs, buffered } = schedule.status;
        const nominal: number[] = [];
        for (let us = NOON_US + MINUTE; us <= decidedUntilUs; us += MINUTE) nominal.push(us);
        expect([...schedule.fates.keys()].sort((a, b) => a - b)).toEqual(nominal);
        const waiting = new Set(buffered.map((run) => run.nominalUs));
        for (const [us, fates] of schedule.fates) {
          const ends = fates.filter((fate) => fate !== 'BUFFERED');
          expect(ends, `${fates}`).toHaveLength(waiting.has(us) ? 0 : 1);
        }
        if (most !== null) expect(schedule.starts.length).toBeLessThanOrEqual(most);
        else expect(decidedUntilUs).toBeGreaterThan(nowUs - 2 * MINUTE - changes.jitterMs * 1_000);
      }),
    );
  });

  it('starts no job while another one runs unless its policy allows it, and no time early or out of order', () => {
    fc.assert(
      fc.property(world, lengths, gaps, (changes, long, scans) => {
        const schedule = new ScheduleWorld(
          changes,
          undefined,
          (start) => (long[start % long.length] as number) * SECOND,
        );
        let nowUs = NOON_US;
        for (const gap of scans) {
          nowUs += gap * SECOND;
          schedule.scan(nowUs);
        }
        const mayOverlap = changes.overlap === 'ALLOW_ALL' || changes.overlap === 'TERMINATE_OTHER';
        for (const [i, { nominalUs, atUs, concurrent }] of schedule.starts.entries()) {
          expect(atUs).toBeGreaterThanOrEqual(nominalUs);
          const before = schedule.starts[i - 1];
          if (before) expect(nominalUs).toBeGreaterThan(before.nominalUs);
          if (!mayOverlap) expect(concurrent).toBe(0);
          if (changes.overlap !== 'ALLOW_ALL' && before) expect(atUs).toBeGreaterThan(before.atUs);
        }
      }),
    );
  });

  it('decides all past times once before its times are replaced, however their starts were delayed', () => {
    fc.assert(
      fc.property(world, gaps, fc.integer({ min: 1, max: 10_000 }), (changes, scans, last) => {
        const schedule = new ScheduleWorld(changes, undefined, () => 90 * SECOND);
        let nowUs = NOON_US;
        for (const gap of scans) {
          nowUs += gap * SECOND;
          schedule.scan(nowUs);
        }
        nowUs += last * SECOND;
        while (schedule.scan(nowUs, true).isBehind);
        const nominal: number[] = [];
        for (let us = NOON_US + MINUTE; us <= nowUs; us += MINUTE) nominal.push(us);
        expect([...schedule.fates.keys()].sort((a, b) => a - b)).toEqual(nominal);
        for (const fates of schedule.fates.values())
          expect(fates.filter((fate) => fate !== 'BUFFERED').length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('asks for its next scan neither late nor needlessly', () => {
    fc.assert(
      fc.property(world, fc.integer({ min: 1, max: 200 }), (changes, long) => {
        const schedule = new ScheduleWorld({ ...changes, jitterMs: 0 }, undefined, () => long * SECOND);
        let nowUs = NOON_US;
        for (let scan = 0; scan < 200; scan++) {
          const { nextScanUs } = schedule.scan(nowUs);
          expect(nextScanUs).toBeGreaterThan(nowUs);
          nowUs = nextScanUs as number;
        }
        // A schedule that is scanned when it asks for it has missed nothing.
        for (const fates of schedule.fates.values()) expect(fates).not.toContain('MISSED');
        for (const { nominalUs, atUs } of schedule.starts)
          if (schedule.status.rules.overlap === 'SKIP') expect(atUs).toBe(nominalUs);
      }),
      { numRuns: 30 },
    );
  });
});

/** No scan from 12:00:30 to 12:05:30, and the times that are left then. */
const catchUpTable: readonly (readonly [CatchUpPolicy, number, readonly string[]])[] = [
  ['LATEST', 86_400_000, ['MISSED', 'MISSED', 'MISSED', 'MISSED', 'STARTING']],
  ['ALL', 86_400_000, ['STARTING', 'STARTING', 'STARTING', 'STARTING', 'STARTING']],
  ['ALL', 120_000, ['MISSED', 'MISSED', 'MISSED', 'STARTING', 'STARTING']],
  ['LATEST', 10_000, ['MISSED', 'MISSED', 'MISSED', 'MISSED', 'MISSED']],
  ['NONE', 86_400_000, ['MISSED', 'MISSED', 'MISSED', 'MISSED', 'MISSED']],
];

describe('the times that no scan saw', () => {
  it.each(catchUpTable)('with catch-up %s within %i ms end as %j', (catchUp, catchUpWindowMs, expected) => {
    const schedule = new ScheduleWorld({ overlap: 'ALLOW_ALL', catchUp, catchUpWindowMs }, undefined, () => SECOND);
    schedule.scan(NOON_US + 30 * SECOND);
    schedule.scan(NOON_US + 5 * MINUTE + 30 * SECOND);
    expect([1, 2, 3, 4, 5].map((minute) => schedule.fates.get(NOON_US + minute * MINUTE)?.at(-1))).toEqual(expected);
  });

  it('count as seen for ten seconds', () => {
    for (const [late, fate] of [
      [10, 'STARTING'],
      [11, 'MISSED'],
    ] as const) {
      const schedule = new ScheduleWorld({ catchUp: 'NONE' }, undefined, () => SECOND);
      schedule.scan(NOON_US + MINUTE + late * SECOND);
      expect(schedule.fates.get(NOON_US + MINUTE)).toEqual([fate]);
    }
  });

  it('are caught up in steps when there are thousands', () => {
    const schedule = new ScheduleWorld({ overlap: 'ALLOW_ALL', catchUp: 'ALL' }, undefined, () => SECOND);
    const nowUs = NOON_US + 1_000 * MINUTE;
    let scans = 0;
    for (let nextScanUs: number | undefined = nowUs; nextScanUs !== undefined && nextScanUs <= nowUs; scans++)
      nextScanUs = schedule.scan(nowUs).nextScanUs;
    expect(scans).toBe(5);
    expect(schedule.starts).toHaveLength(1_000);
  });
});

describe('a paused schedule', () => {
  it('skips its times, keeps buffered runs, and runs what it is asked for', () => {
    const schedule = new ScheduleWorld({ overlap: 'BUFFER_ALL' }, undefined, () => 90 * SECOND);
    schedule.scan(NOON_US + MINUTE);
    schedule.scan(NOON_US + 2 * MINUTE);
    schedule.status = { ...schedule.status, paused: true };
    schedule.scan(NOON_US + 4 * MINUTE);
    expect(schedule.fates.get(NOON_US + 2 * MINUTE)).toEqual(['BUFFERED']);
    expect(schedule.fates.get(NOON_US + 3 * MINUTE)).toEqual(['PAUSED']);
    const asked: PendingRun = { nominalUs: NOON_US + 1, causeId: 'x', cause: 'TRIGGER', overlap: 'ALLOW_ALL' };
    schedule.status = { ...schedule.status, asked: [asked] };
    expect(schedule.scan(NOON_US + 4 * MINUTE + 1).runs).toEqual([{ ...asked, state: 'STARTING' }]);
  });

  it('leaves the runs of a trigger alone until it is resumed, also if a failed job has just paused it', () => {
    const { status } = new ScheduleWorld({ pauseOnFailure: true }, undefined, () => SECOND);
    const asked: PendingRun = { nominalUs: NOON_US, causeId: 'x', cause: 'TRIGGER', overlap: 'ALLOW_ALL' };
    const trigger = { ...status, keepsAsked: true, asked: [asked], decidedUntilUs: NOON_US };
    expect(decideSchedule({ ...trigger, paused: true }, times, NOON_US).runs).toEqual([]);
    const failed = decideSchedule({ ...trigger, failedJobId: 'job' }, times, NOON_US);
    expect(failed).toMatchObject({ pauseReason: 'job job failed', runs: [] });
    expect(decideSchedule(trigger, times, NOON_US).runs).toEqual([{ ...asked, state: 'STARTING' }]);
  });

  it('results from a failed job in the same scan, when pauseOnFailure is set', () => {
    const failed = { failedJobId: 'job', decidedUntilUs: NOON_US };
    const { status } = new ScheduleWorld({ pauseOnFailure: true }, undefined, () => SECOND);
    const decision = decideSchedule({ ...status, ...failed }, times, NOON_US + MINUTE);
    expect(decision).toMatchObject({ pauseReason: 'job job failed', runs: [{ skipReason: 'PAUSED' }] });
    const { status: other } = new ScheduleWorld({}, undefined, () => SECOND);
    expect(decideSchedule({ ...other, ...failed }, times, NOON_US + MINUTE)).not.toHaveProperty('pauseReason');
  });
});

describe('the number of remaining runs', () => {
  it('ends a schedule when it reaches zero, and does not count manual runs', () => {
    const schedule = new ScheduleWorld({ overlap: 'ALLOW_ALL', catchUp: 'ALL' }, 2, () => SECOND);
    const asked: PendingRun = { nominalUs: NOON_US, causeId: 'x', cause: 'BACKFILL', overlap: 'ALLOW_ALL' };
    schedule.status = { ...schedule.status, asked: [asked] };
    const decision = schedule.scan(NOON_US + 5 * MINUTE);
    expect(schedule.starts.map(({ nominalUs }) => (nominalUs - NOON_US) / MINUTE)).toEqual([0, 1, 2]);
    expect(decision).toMatchObject({ runsLeft: 0, nextScanUs: undefined, nextUs: undefined });
    expect(schedule.scan(NOON_US + 9 * MINUTE).runs).toEqual([]);
  });
});

describe('jitter', () => {
  it('is the same for a time on each call, and ends before the next time', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.nat(), fc.integer({ min: 1, max: 86_400_000 }), (seed, step, jitterMs) => {
        const nominalUs = NOON_US + step * MINUTE;
        const jitter = jitterOf(seed, nominalUs, nominalUs + MINUTE, jitterMs);
        expect(jitter).toBe(jitterOf(seed, nominalUs, nominalUs + MINUTE, jitterMs));
        expect(jitter).toBeGreaterThanOrEqual(0);
        expect(jitter).toBeLessThan(Math.min(jitterMs * 1_000, MINUTE));
      }),
    );
  });

  it('spreads evenly both the schedules of one time and the times of one schedule', () => {
    const shares = (values: readonly number[]) =>
      Array.from({ length: 10 }, (_, i) => values.filter((value) => Math.floor(value / 100_000) === i).length);
    const ofOne = Array.from({ length: 5_000 }, (_, i) => jitterOf('a', NOON_US + i * MINUTE, undefined, 1_000));
    const ofMany = Array.from({ length: 5_000 }, (_, i) => jitterOf(`schedule-${i}`, NOON_US, undefined, 1_000));
    for (const share of [...shares(ofOne), ...shares(ofMany)]) {
      expect(share).toBeGreaterThan(380);
      expect(share).toBeLessThan(620);
    }
  });
});

it('the cause id of a schedule is the nil UUID', () => {
  const { status } = new ScheduleWorld({}, undefined, () => SECOND);
  expect(decideSchedule(status, times, NOON_US + MINUTE).runs).toMatchObject([
    { causeId: TIME_CAUSE_ID, cause: 'TIME' },
  ]);
});
