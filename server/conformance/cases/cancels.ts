/** What a cancel does to an attempt in each phase of its life. */
import type { Case, Group } from '../case.ts';
import { noticeOf } from '../session.ts';
import { assign, cancel } from '../steps/assignments.ts';
import { act, allSlotsOnOffer, beats, never, ready } from '../steps/life.ts';
import { cancelled, type Expected, hasBegun, isHeld, reported, result } from '../steps/outcomes.ts';
import { works } from '../steps/proof.ts';
import { afterStop, isDeaf, returns, type Work, waits } from '../steps/work.ts';

const stopped = (name: string, proves: string, work: Work, expected: Expected): Case => ({
  name,
  rule: 'Cancels',
  proves,
  isShared: true,
  steps: [ready, assign('a', work), hasBegun('a'), cancel('a'), reported('a', expected), allSlotsOnOffer],
});

export const cancelCases: Group = {
  title: 'Cancels',
  cases: [
    stopped(
      'cancel-obeyed',
      'A handler that stops when it is told of a cancel is reported as cancelled.',
      waits,
      cancelled,
    ),
    stopped(
      'cancel-failed',
      'A handler that fails after it was told of a cancel is reported as cancelled, whatever its error.',
      afterStop({ do: 'fail', type: 'Unfinished', message: 'was stopped' }),
      cancelled,
    ),
    stopped(
      'cancel-returned',
      'A result wins, also after the handler was told of a cancel.',
      afterStop({ do: 'return', value: 'cleaned up' }),
      result('cleaned up'),
    ),
    stopped(
      'cancel-not-heard',
      'A handler that hears of no cancel goes on, and its result is reported.',
      isDeaf(3_000),
      result('deaf'),
    ),
    {
      name: 'cancel-in-answer',
      rule: 'Cancels',
      proves: 'A cancel that only the answers to beats carry is obeyed.',
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
      name: 'cancel-after-report',
      rule: 'Cancels',
      proves: 'A cancel of an attempt that has been reported changes nothing.',
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
