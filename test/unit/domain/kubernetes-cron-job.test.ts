/**
 * Missed starts of a Kubernetes CronJob compared with the nearest schedule setting: concurrencyPolicy,
 * startingDeadlineSeconds and the number of missed starts, while a job of an earlier time still runs.
 */
import { describe, expect, it } from 'vitest';
import { decideSchedule } from '../../../server/domain/schedules/decide-schedule.ts';
import type { OverlapPolicy } from '../../../server/domain/schedules/schedule.ts';
import { MINUTE, NOON_US, ScheduleWorld, SECOND, times } from '../../support/base/schedule-world.ts';

type Concurrency = 'Allow' | 'Forbid' | 'Replace';
type Deadline = 'none' | 'short' | 'long';

/** With Replace, CronJob deletes the running job, and does not wait until its pods have ended. */
const overlaps: Readonly<Record<Concurrency, OverlapPolicy>> = {
  Allow: 'ALLOW_ALL',
  Forbid: 'SKIP',
  Replace: 'TERMINATE_OTHER',
};

/** The nearest `catchUpWindow`; without a deadline, the largest allowed. The last missed time was 40 s ago. */
const windowMs: Readonly<Record<Deadline, number>> = { none: 3_650 * 86_400_000, short: 30_000, long: 3_600_000 };

/** Numbers of missed starts, a minute between two. */
const missed = [0, 1, 5, 150] as const;

/**
 * `last`: only the last one is started. `waits`: none is started while the job runs. `error`: none is started, and an
 * event says so.
 */
type Kubernetes = 'nothing' | 'last' | 'replaced by the last' | 'waits' | 'none' | 'error';

const kubernetes: Readonly<Record<Concurrency, Readonly<Record<Deadline, readonly Kubernetes[]>>>> = {
  Allow: {
    none: ['nothing', 'last', 'last', 'error'],
    short: ['nothing', 'none', 'none', 'none'],
    long: ['nothing', 'last', 'last', 'last'],
  },
  Forbid: {
    none: ['nothing', 'waits', 'waits', 'error'],
    short: ['nothing', 'none', 'none', 'none'],
    long: ['nothing', 'waits', 'waits', 'waits'],
  },
  Replace: {
    none: ['nothing', 'replaced by the last', 'replaced by the last', 'error'],
    short: ['nothing', 'none', 'none', 'none'],
    long: ['nothing', 'replaced by the last', 'replaced by the last', 'replaced by the last'],
  },
};

/** How Muster differs for this outcome, whatever the other settings. */
function differenceOf(fate: Kubernetes): string {
  if (fate === 'waits') return 'it is skipped for good, with OVERLAP on record';
  return fate === 'error' ? 'any number of missed starts is fine, and the last one counts' : 'as Kubernetes';
}

const rows = (Object.keys(overlaps) as Concurrency[]).flatMap((policy) =>
  (Object.keys(windowMs) as Deadline[]).flatMap((deadline) =>
    missed.map((count, i) => {
      const fate = kubernetes[policy][deadline][i] as Kubernetes;
      return { policy, deadline, count, fate, difference: differenceOf(fate) };
    }),
  ),
);

/** The expected outcome of the missed starts before the last one, and of the last one. */
function expectedOf(policy: Concurrency, count: number, fate: Kubernetes): readonly string[] {
  if (fate === 'nothing') return [];
  if (fate === 'none') return [`MISSED ×${count}`];
  const before = count > 1 ? [`MISSED ×${count - 1}`] : [];
  return [...before, policy === 'Forbid' ? 'OVERLAP ×1' : 'STARTING ×1'];
}

const statusOf = (policy: Concurrency, deadline: Deadline) => ({
  ...new ScheduleWorld({ overlap: overlaps[policy], catchUpWindowMs: windowMs[deadline] }, undefined, () => SECOND)
    .status,
  open: 1,
});

describe('a CronJob', () => {
  it.each(rows)(
    'with $policy, deadline $deadline and $count missed starts: $fate; $difference',
    ({ policy, deadline, count, fate }) => {
      const nowUs = NOON_US + count * MINUTE + 40 * SECOND;
      const { runs, cancelsOthers } = decideSchedule(statusOf(policy, deadline), times, nowUs);
      const found = runs.map(({ skipReason, state, times: some = 1 }) => `${skipReason ?? state} ×${some}`);
      expect(found).toEqual(expectedOf(policy, count, fate));
      expect(cancelsOthers).toBe(policy === 'Replace' && found.includes('STARTING ×1'));
      if (fate !== 'nothing' && fate !== 'none') expect(runs.at(-1)?.nominalUs).toBe(NOON_US + count * MINUTE);
    },
  );

  it('with Forbid starts its missed run after the job has ended, as BUFFER_ONE does and SKIP does not', () => {
    const startsWith = (overlap: OverlapPolicy) => {
      const world = new ScheduleWorld({ overlap }, undefined, () => 90 * SECOND);
      for (let nowUs = NOON_US; nowUs <= NOON_US + 160 * SECOND; nowUs += SECOND) world.scan(nowUs);
      return world.starts.map(({ atUs }) => (atUs - NOON_US) / SECOND);
    };
    expect(startsWith('SKIP')).toEqual([60]);
    expect(startsWith('BUFFER_ONE')).toEqual([60, 150]);
  });
});
