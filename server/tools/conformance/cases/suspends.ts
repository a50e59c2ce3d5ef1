/** The effect of a request to suspend on an attempt in each phase of its life. */
import type { Case, Group } from '../case.ts';
import { suspendNoticeOf } from '../plane/session.ts';
import { assign, cancel, suspend } from '../steps/assignments.ts';
import { act, allSlotsOnOffer, beats, check, never, ready } from '../steps/life.ts';
import { cancelled, type Expected, hasBegun, isHeld, isOneOf, reported, result, suspended } from '../steps/outcomes.ts';
import { works } from '../steps/proof.ts';
import { afterStop, isDeaf, returns, script, type Work, waits } from '../steps/work.ts';

const common = { rule: 'Suspensions', needs: 'suspend', isShared: true } as const;

const stopped = (name: string, proves: string, work: Work, expected: Expected): Case => ({
  ...common,
  name,
  proves,
  steps: [ready, assign('a', work), hasBegun('a'), suspend('a'), reported('a', expected), allSlotsOnOffer],
});

export const suspendCases: Group = {
  title: 'Suspensions',
  cases: [
    stopped(
      'suspend-obeyed',
      'A handler that stops when it is asked to suspend is reported as suspended, with no children.',
      waits,
      suspended,
    ),
    stopped(
      'suspend-failed',
      'A handler that fails after that is reported as suspended, whatever its error.',
      afterStop({ do: 'fail', type: 'Unfinished', message: 'was stopped' }),
      suspended,
    ),
    stopped(
      'suspend-returned',
      'A result wins, also after the handler was asked.',
      afterStop({ do: 'return', value: 'finished' }),
      result('finished'),
    ),
    stopped(
      'suspend-ignored',
      'A handler that ignores the request continues, and its result is reported.',
      isDeaf(3_000),
      result('deaf'),
    ),
    {
      ...common,
      name: 'suspend-in-answer',
      proves: 'A request that arrives only in the answers to beats is obeyed.',
      steps: [
        ready,
        assign('a', waits),
        isHeld('a'),
        suspend('a', 'answers'),
        reported('a', suspended),
        allSlotsOnOffer,
      ],
    },
    {
      ...common,
      name: 'suspend-checkpoint',
      proves: 'The checkpoint with which a handler suspends its job is sent before the report.',
      steps: [
        ready,
        assign('a', afterStop({ do: 'suspend', value: { page: 7 } })),
        hasBegun('a'),
        suspend('a'),
        reported('a', suspended),
        check('its checkpoint was sent', (stage) => {
          const shown = stage.attempt('a').updates.find(({ checkpoint }) => checkpoint)?.checkpoint;
          return Buffer.from(shown?.data ?? []).toString() === '{"page":7}' ? undefined : 'it was not';
        }),
        allSlotsOnOffer,
      ],
    },
    {
      ...common,
      name: 'suspend-unasked',
      proves: 'A handler may suspend its job when nobody has asked.',
      steps: [
        ready,
        assign('a', script({ do: 'suspend', value: { page: 1 } })),
        reported('a', suspended),
        allSlotsOnOffer,
      ],
    },
    {
      ...common,
      name: 'suspend-then-cancel',
      proves: 'A cancel after the request does not disturb a handler that stops.',
      steps: [
        ready,
        assign('a', waits),
        hasBegun('a'),
        suspend('a'),
        cancel('a'),
        reported('a', isOneOf(suspended, cancelled)),
        allSlotsOnOffer,
      ],
    },
    {
      ...common,
      name: 'suspend-after-report',
      proves: 'A request for a reported attempt changes nothing.',
      steps: [
        ready,
        assign('a', returns('done')),
        reported('a', result('done')),
        beats(1),
        act('asks to suspend a', (stage) => stage.session.publish({ suspends: [suspendNoticeOf(stage.attempt('a'))] })),
        never('a second report', 1_500, (stage) => stage.attempt('a').reports.length > 1),
        works,
        allSlotsOnOffer,
      ],
    },
  ],
};
