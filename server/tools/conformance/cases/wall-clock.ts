/** The wall clock jumps an hour ahead, or back. Leases, credits, run times and repeats must use another clock. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Case, Step } from '../case.ts';
import { NotOffered, Unfulfilled } from '../failures.ts';
import { unavailable } from '../refusal.ts';
import type { Stage } from '../stage.ts';
import { assign } from '../steps/assignments.ts';
import { spoil } from '../steps/faults.ts';
import { act, allSlotsOnOffer, awaitCalls, check, ready, until } from '../steps/life.ts';
import { failure, isHeld, reported, result } from '../steps/outcomes.ts';
import { works } from '../steps/proof.ts';
import { returns, script, waits } from '../steps/work.ts';

const BEAT_MS = 1_000;
const HOUR_MS = 3_600_000;
/** Maximum difference between the clock that the worker reports and the one that it was given. */
const OFF_MS = 60_000;
const RUN_TIMEOUT_MS = 6_000;
const BEATS = 3;
/** No call has a deadline this far in the future. */
const LONG_MS = 30_000;

const canBeMoved = act('makes a wall clock that can be moved', ({ lab }) => {
  const lack = lab.wallClock?.lack;
  if (lack !== undefined) throw new NotOffered(lack);
});

const setClock = (aheadMs: number) =>
  act(`sets the wall clock to ${aheadMs / HOUR_MS} hours ahead`, ({ lab }) => lab.wallClock?.set(aheadMs));

/** While a report waits for its repeat. */
const setMeanwhile = (name: string, aheadMs: number): Step[] => [
  act('counts reports', ({ plane, kept }) => kept.set('reports', plane.callsOf('ReportAttempts').length)),
  spoil('ReportAttempts', { seen: unavailable, times: 4 }),
  assign(name, returns(name)),
  until(
    `the report of ${name} has failed twice`,
    ({ plane, kept }) => plane.callsOf('ReportAttempts').length >= (kept.get('reports') ?? 0) + 2,
  ),
  setClock(aheadMs),
  reported(name, result(name)),
];

/** By how much the worker's clock is ahead: a log record contains the time of its writing. */
function aheadMs(stage: Stage, name: string): number {
  const [record] = stage.attempt(name).logs;
  if (!record?.logTime) throw new Unfulfilled(`${name} has logged nothing`);
  return timestampMs(record.logTime) - Date.now();
}

const says = (name: string, wantedMs: number, lack?: string): Step[] => [
  assign(name, script({ do: 'log', message: name }, { do: 'return', value: name })),
  reported(name, result(name)),
  act(`${name} reports the time that was set`, (stage) => {
    const ms = aheadMs(stage, name);
    if (Math.abs(ms - wantedMs) < OFF_MS) return;
    if (lack !== undefined) throw new NotOffered(lack);
    throw new Unfulfilled(`its clock is ${Math.round(ms)} ms ahead`);
  }),
];

const keepsBeating: Step[] = [
  act('remembers when', ({ kept }) => kept.set('since', performance.now())),
  awaitCalls('SendHeartbeat', BEATS, ({ leftMs }) =>
    leftMs < LONG_MS ? undefined : `a beat has a deadline in ${Math.round(leftMs)} ms`,
  ),
  check('they came in time', ({ kept }) => {
    const ms = Math.round(performance.now() - (kept.get('since') ?? 0));
    return ms < (BEATS + 1.5) * BEAT_MS ? undefined : `${BEATS} beats took ${ms} ms`;
  }),
];

export const wallClockJumps: Case = {
  name: 'wall-clock-jumps',
  rule: 'The fence',
  proves:
    'When the wall clock jumps an hour ahead or back nothing lapses, times out, waits or ends: the worker uses a monotonic clock.',
  terms: { beatMs: BEAT_MS, leaseMs: 4_000 },
  hasWallClock: true,
  steps: [
    canBeMoved,
    ready,
    assign('a', script({ do: 'sleep', ms: 9_000 }, { do: 'return', value: 'a' }), { runTimeoutMs: 60_000 }),
    assign('t', waits, { runTimeoutMs: RUN_TIMEOUT_MS }),
    isHeld('a'),
    isHeld('t'),
    ...setMeanwhile('b', HOUR_MS),
    ...says('ahead', HOUR_MS, 'its wall clock can not be moved: it takes no preload, or asks the kernel itself'),
    ...keepsBeating,
    ...setMeanwhile('c', -HOUR_MS),
    ...says('back', -HOUR_MS),
    ...keepsBeating,
    reported('t', failure({ type: 'RunTimeout', cause: 'TIMEOUT' })),
    check('that was when its run timeout was over', (stage) => {
      const { reports, sentAt } = stage.attempt('t');
      const ms = Math.round((reports[0]?.at ?? 0) - sentAt);
      return ms > RUN_TIMEOUT_MS - 100 && ms < RUN_TIMEOUT_MS + 3_000 ? undefined : `it was after ${ms} ms`;
    }),
    reported('a', result('a')),
    setClock(0),
    ...keepsBeating,
    works,
    allSlotsOnOffer,
    check('the session is the same', ({ plane }) =>
      plane.sessions.length === 1 ? undefined : `${plane.sessions.length} sessions were opened`,
    ),
  ],
};
