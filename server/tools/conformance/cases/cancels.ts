/** The effect of a cancel on an attempt in each phase of its life. */
import type {
  ReportAttemptsRequest,
  SendHeartbeatRequest,
} from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import type { Case, Group, Step } from '../case.ts';
import { noticeOf } from '../plane/session.ts';
import { unavailable } from '../refusal.ts';
import { assign, cancel } from '../steps/assignments.ts';
import { forEver, spoil } from '../steps/faults.ts';
import { act, allSlotsOnOffer, beats, check, never, ready, until } from '../steps/life.ts';
import {
  cancelled,
  type Expected,
  failure,
  hasBegun,
  isHeld,
  notReported,
  reported,
  reportedAgain,
  result,
} from '../steps/outcomes.ts';
import { works } from '../steps/proof.ts';
import { afterStop, isDeaf, returns, script, type Work, waits } from '../steps/work.ts';

const stopped = (name: string, proves: string, work: Work, expected: Expected): Case => ({
  name,
  rule: 'Cancels',
  proves,
  isShared: true,
  steps: [ready, assign('a', work), hasBegun('a'), cancel('a'), reported('a', expected), allSlotsOnOffer],
});

/** How long an answer is withheld from the worker, while a cancel overtakes it. */
const WITHHELD_MS = 3_000;

const hasResult = (request: unknown) =>
  (request as ReportAttemptsRequest).reports.some(({ outcome }) => outcome.case === 'result');
const hasCheckpoint = (request: unknown) =>
  (request as SendHeartbeatRequest).progress.some(({ checkpoint }) => checkpoint);

/**
 * Another attempt keeps running. The call with the result of `a` has arrived and is unanswered when `a` is cancelled.
 */
const cancelInFlight = (refusal?: typeof unavailable): Step[] => [
  ready,
  assign('b', waits),
  isHeld('b'),
  spoil('ReportAttempts', { seen: { delayMs: WITHHELD_MS, ...(refusal ? { refusal } : {}) }, when: hasResult }),
  assign('a', returns('done')),
  until('its report is under way', ({ plane }) =>
    plane.callsOf('ReportAttempts').some(({ request, endedAt }) => endedAt === undefined && hasResult(request)),
  ),
  // The first heartbeat lists `a`, and the second must still list it.
  beats(1),
  cancel('a'),
  beats(1),
  check('its report is still under way', ({ plane }) =>
    plane.callsOf('ReportAttempts').some(({ endedAt }) => endedAt === undefined) ? undefined : 'it has ended',
  ),
  reported('a', result('done')),
  until('it is answered', (stage) => !stage.attempt('a').isOpen),
  never('another report', 1_500, (stage) => stage.attempt('a').reports.length > 1),
  reportedAgain('a'),
  notReported('b', 100),
  cancel('b'),
  reported('b', cancelled),
  allSlotsOnOffer,
];

export const cancelCases: Group = {
  title: 'Cancels',
  cases: [
    stopped(
      'cancel-obeyed',
      'A handler that stops when it receives a cancel is reported as cancelled.',
      waits,
      cancelled,
    ),
    stopped(
      'cancel-failed',
      'A handler that fails after it received a cancel is reported as cancelled, whatever its error.',
      afterStop({ do: 'fail', type: 'Unfinished', message: 'was stopped' }),
      cancelled,
    ),
    stopped(
      'cancel-returned',
      'A result wins, also after the handler received a cancel.',
      afterStop({ do: 'return', value: 'cleaned up' }),
      result('cleaned up'),
    ),
    stopped(
      'cancel-ignored',
      'A handler that ignores a cancel continues, and its result is reported.',
      isDeaf(3_000),
      result('deaf'),
    ),
    {
      name: 'cancel-in-answer',
      rule: 'Cancels',
      proves: 'A cancel that arrives only in the answers to beats is obeyed.',
      isShared: true,
      steps: [
        ready,
        assign('a', waits),
        isHeld('a'),
        cancel('a', 'answers'),
        reported('a', cancelled),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'cancel-report-in-flight',
      rule: 'Cancels',
      proves: 'A cancel that comes while the report is in flight changes neither the report nor another attempt.',
      steps: cancelInFlight(),
    },
    {
      name: 'cancel-report-failed',
      rule: 'Cancels',
      proves: 'The same holds when that call then fails: the same report is sent again.',
      steps: cancelInFlight(unavailable),
    },
    {
      name: 'cancel-report-waits',
      rule: 'Cancels',
      proves: 'A cancel that comes while the report waits for the beat with its checkpoint does not change the report.',
      terms: { beatMs: 10_000, leaseMs: 60_000 },
      steps: [
        ready,
        // Other output of a handler causes further heartbeats, which also carry the checkpoint.
        spoil('SendHeartbeat', { seen: { delayMs: WITHHELD_MS }, when: hasCheckpoint, times: forEver }),
        assign(
          'a',
          script({ do: 'checkpoint', value: { done: 3 } }, { do: 'fail', type: 'HalfWay', message: 'stopped' }),
        ),
        until('the beat with its checkpoint', (stage) => stage.attempt('a').updates.some((shown) => shown.checkpoint)),
        act('lets the handler end', () => new Promise((resolve) => setTimeout(resolve, WITHHELD_MS / 2))),
        notReported('a', 0),
        cancel('a'),
        reported('a', failure({ type: 'HalfWay' })),
        never('another report', 1_500, (stage) => stage.attempt('a').reports.length > 1),
        works,
        allSlotsOnOffer,
      ],
    },
    {
      name: 'cancel-after-report',
      rule: 'Cancels',
      proves: 'A cancel of a reported attempt changes nothing.',
      isShared: true,
      steps: [
        ready,
        assign('a', returns('done')),
        reported('a', result('done')),
        beats(1),
        act('cancels a', (stage) => stage.session.publish({ cancels: [noticeOf(stage.attempt('a'))] })),
        never('a second report', 1_500, (stage) => stage.attempt('a').reports.length > 1),
        works,
        allSlotsOnOffer,
      ],
    },
  ],
};
