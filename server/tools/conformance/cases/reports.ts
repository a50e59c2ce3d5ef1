/** How outcomes reach the control plane when calls fail, and the effects of the answers. */
import { ReportResult } from '@muster-jobs/sdk/gen/muster/worker/v1/attempt_report_pb';
import type { ReportAttemptsRequest } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import type { Group } from '../case.ts';
import type { Fault } from '../faults.ts';
import { keyOf } from '../plane/attempt.ts';
import { type Refusal, unavailable } from '../refusal.ts';
import type { Stage } from '../stage.ts';
import { assign, assignMany } from '../steps/assignments.ts';
import { spoil } from '../steps/faults.ts';
import { act, allSlotsOnOffer, beats, check, never, ready, until } from '../steps/life.ts';
import { type Expected, failure, reported, reportedAgain, result } from '../steps/outcomes.ts';
import { works } from '../steps/proof.ts';
import { returns, script } from '../steps/work.ts';

const calls = ({ plane }: Stage) => plane.callsOf('ReportAttempts');

const gapsOf = (stage: Stage) =>
  calls(stage)
    .map(({ at }, nth, all) => Math.round(at - (all[nth - 1]?.endedAt ?? at)))
    .slice(1);

/** One attempt whose report fails as often as the fault says. */
const repeated = (fault: Fault) => [
  ready,
  spoil('ReportAttempts', fault),
  assign('a', returns('done')),
  until('the report is repeated until it is answered', (stage) => calls(stage).length === 1 + (fault.times ?? 1)),
  reported('a', result('done')),
  reportedAgain('a'),
  never('another report', 1_500, (stage) => calls(stage).length > 1 + (fault.times ?? 1)),
  allSlotsOnOffer,
];

const exhausted: Refusal = {
  code: 'RESOURCE_EXHAUSTED',
  reason: 'OVERLOADED',
  message: 'too many results wait',
  retryMs: 1_500,
};
const invalid: Refusal = {
  code: 'INVALID_ARGUMENT',
  reason: 'INVALID_FIELD',
  field: 'reports[0]',
  message: 'a report is refused for a test',
};

/** Refuses each call that contains the result of this attempt. */
const refuseResultOf = (name: string) =>
  act(`refuses what ${name} returns`, ({ plane, attempts }) =>
    plane.faults.add('ReportAttempts', {
      seen: invalid,
      times: Number.POSITIVE_INFINITY,
      when: (request) =>
        (request as ReportAttemptsRequest).reports.some(
          (report) => keyOf(report) === attempts.get(name)?.key && report.outcome.case === 'result',
        ),
    }),
  );

/** Takes several turns of the event loop to send, but is not too large for a result. */
const LARGE_BYTES = 400_000;
const isLarge: Expected = {
  text: `a result of ${LARGE_BYTES} bytes`,
  fault: ({ outcome }) =>
    outcome.case === 'result' && outcome.value.data.length === LARGE_BYTES ? undefined : 'all its bytes were expected',
};

const MANY = 2_500;
const others = [1, 2, 3, 5, 6, 7, 8];

export const reportCases: Group = {
  title: 'Reports',
  cases: [
    {
      name: 'report-unavailable',
      rule: 'Reports',
      proves: 'After UNAVAILABLE the same report is sent again.',
      steps: repeated({ seen: unavailable, times: 3 }),
    },
    {
      name: 'report-cut',
      rule: 'Reports',
      proves: 'A report whose answer is lost with its connection is sent again; DUPLICATE ends it.',
      steps: repeated({ seen: 'cut', takesEffect: true }),
    },
    {
      name: 'report-cut-midway',
      rule: 'Reports',
      proves: 'A report whose connection breaks midway is sent again, and ACCEPTED once.',
      steps: [
        ready,
        act('lets the connection break in the middle of the next report', ({ plane }) =>
          plane.rpcLine.cutAfter(LARGE_BYTES / 2),
        ),
        assign('a', script({ do: 'return_bytes', size: LARGE_BYTES })),
        reported('a', isLarge),
        check('that was after the connection broke, and accepted', (stage) => {
          const [first] = stage.attempt('a').reports;
          if ((first?.at ?? 0) < (stage.plane.rpcLine.cutAt ?? Number.POSITIVE_INFINITY)) return 'it came before';
          return first?.result === ReportResult.ACCEPTED ? undefined : 'it was not accepted';
        }),
        never('another report', 1_500, (stage) => stage.attempt('a').reports.length > 1),
        check('the session is the same', ({ plane }) =>
          plane.sessions.length === 1 ? undefined : `${plane.sessions.length} sessions were opened`,
        ),
        works,
        allSlotsOnOffer,
      ],
    },
    {
      name: 'report-internal',
      rule: 'Errors',
      proves: 'After INTERNAL, with an unknown outcome, the same report is sent again.',
      steps: repeated({ seen: { code: 'INTERNAL', message: 'internal error' }, takesEffect: true }),
    },
    {
      name: 'report-aborted',
      rule: 'Errors',
      proves: 'After ABORTED and UNKNOWN the same report is sent again.',
      steps: [
        ready,
        spoil('ReportAttempts', { seen: { code: 'ABORTED', message: 'a conflict' } }),
        spoil('ReportAttempts', { seen: { code: 'UNKNOWN', message: 'something' } }),
        assign('a', returns('done')),
        reported('a', result('done')),
        reportedAgain('a'),
      ],
    },
    {
      name: 'report-silent',
      rule: 'Reports',
      proves: 'A report without an answer is sent again after its deadline of 10 s, and is held until then.',
      terms: { leaseMs: 60_000 },
      steps: [
        ready,
        spoil('ReportAttempts', { seen: 'nothing', takesEffect: true }),
        assign('a', returns('done')),
        reported('a', result('done')),
        beats(5),
        check('every beat lists it', ({ session }) => {
          const last = session.beats.slice(-3);
          return last.every(({ request }) => request.heldAttempts.length === 1) ? undefined : 'one does not';
        }),
        until('it is sent again', (stage) => calls(stage).length > 1),
        check('that was at its deadline', (stage) => {
          const [first, second] = calls(stage);
          const ms = Math.round((second?.at ?? 0) - (first?.at ?? 0));
          return ms > 9_000 && ms < 13_500 ? undefined : `it was after ${ms} ms`;
        }),
      ],
    },
    {
      name: 'report-backoff',
      rule: 'Reports',
      proves: 'Repeats come after 50 to 100 ms, and twice as long each time, up to 2 s.',
      steps: [
        ready,
        spoil('ReportAttempts', { seen: unavailable, times: 7 }),
        assign('a', returns('done')),
        reported('a', result('done'), { withinMs: 20_000 }),
        check('the waits grow', (stage) => {
          const gaps = gapsOf(stage);
          const text = `they were ${gaps.join(', ')} ms`;
          if (gaps.some((gap, nth) => gap < Math.min(1_000, 50 * 2 ** nth) * 0.8)) return `${text}: too short`;
          return gaps.some((gap, nth) => gap > Math.min(2_000, 100 * 2 ** nth) + 700) ? `${text}: too long` : undefined;
        }),
      ],
    },
    {
      name: 'report-exhausted',
      rule: 'Errors',
      proves: 'After RESOURCE_EXHAUSTED a report waits for its RetryInfo.',
      steps: [
        ready,
        spoil('ReportAttempts', { seen: exhausted }),
        assign('a', returns('done')),
        reported('a', result('done')),
        check('it waited 1.5 s', (stage) => {
          const [gap = 0] = gapsOf(stage);
          return gap > 1_400 ? undefined : `it waited ${gap} ms`;
        }),
      ],
    },
    {
      name: 'report-lease-lost-attempt',
      rule: 'Reports',
      proves: 'LEASE_LOST as the result of a report ends that attempt only: the session continues.',
      isShared: true,
      steps: [
        ready,
        assign('a', returns('mine no more'), { by: 'nowhere' }),
        act('gives a to somebody else', (stage) => {
          const { key, assignment } = stage.attempt('a');
          stage.session.verdicts.set(key, ReportResult.LEASE_LOST);
          stage.kept.set('sessions', stage.plane.sessions.length);
          stage.attempt('a').sentAt = performance.now();
          stage.session.publish({ assignments: [assignment] });
        }),
        reported('a', result('mine no more')),
        beats(2),
        check('a is neither held nor reported again', (stage) => {
          const { key, reports } = stage.attempt('a');
          if (reports[0]?.result !== ReportResult.LEASE_LOST) return 'its report was not answered with LEASE_LOST';
          const isHeldNow = stage.session.beats.at(-1)?.request.heldAttempts.some((held) => keyOf(held) === key);
          return isHeldNow || reports.length > 1 ? 'it is' : undefined;
        }),
        check('the session is the same', ({ plane, kept }) =>
          plane.sessions.length === kept.get('sessions') ? undefined : 'another was opened',
        ),
        works,
        allSlotsOnOffer,
      ],
    },
    {
      name: 'report-invalid',
      rule: 'Reports',
      proves:
        'After INVALID_ARGUMENT the batch is halved until the bad report is alone; it becomes a non-retryable failure.',
      steps: [
        ready,
        spoil('ReportAttempts', { seen: { delayMs: 700 } }),
        assign('first', returns(0)),
        until('its report', (stage) => calls(stage).length === 1),
        assignMany('a', 8, (at) => returns(at)),
        refuseResultOf('a4'),
        ...others.map((at) => reported(`a${at}`, result(at))),
        reported('a4', failure({ isNonRetryable: true })),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'report-batches',
      rule: 'Reports',
      proves: 'Many reports are sent in calls of at most 1,000 and 3 MiB, each attempt once.',
      needs: 'many-slots',
      slots: MANY,
      terms: { leaseMs: 60_000 },
      steps: [
        ready,
        spoil('ReportAttempts', { seen: { delayMs: 1_500 }, times: 2 }),
        assignMany('a', MANY / 2, (at) => returns(at)),
        assignMany('b', MANY / 2, (at) => returns(at)),
        until(
          'all are reported',
          ({ attempts }) => [...attempts.values()].every(({ reports }) => reports.length > 0),
          40_000,
        ),
        check('each once', ({ attempts }) =>
          [...attempts.values()].every(({ reports }) => reports.length === 1) ? undefined : 'some twice',
        ),
        check('in fewer calls than attempts', (stage) => {
          const count = calls(stage).length;
          return count < MANY / 4 ? undefined : `${count} calls were made`;
        }),
        allSlotsOnOffer,
      ],
    },
  ],
};
