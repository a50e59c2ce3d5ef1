/** Attempts that may wait for a slot. A worker that grants no prefetch units skips these cases. */
import type { Group, Step } from '../case.ts';
import { NotOffered } from '../failures.ts';
import type { Stage } from '../stage.ts';
import { again, assign, cancel, suspend } from '../steps/assignments.ts';
import { act, allSlotsOnOffer, beats, check, ready, signal } from '../steps/life.ts';
import { isHeld, released, reported, result } from '../steps/outcomes.ts';
import { returns, sleeps } from '../steps/work.ts';

const ROUNDS = 8;
const SLOTS = 2;
/** A waiting attempt is released after a second. */
const BRIEF_MS = 200;
const LONG_MS = 3_000;

/**
 * Ends handlers in quick succession until the worker grants prefetch units. Then, in one message, assigns work for all
 * its slots and one more attempt that may wait: such units are granted for a moment only.
 */
const waiting = (...order: string[]): Step => ({
  text: 'p waits while all slots are taken',
  async run(stage) {
    for (let round = 0; round < ROUNDS; round++) {
      await runQuickly(stage, `warm${round}-`);
      if (stage.session.ledger.prefetch(performance.now()) > 0) return sendAll(stage, order);
    }
    throw new NotOffered('the worker offers no prefetch');
  },
});

async function runQuickly(stage: Stage, name: string): Promise<void> {
  const { slots } = stage.lab;
  for (let at = 0; at < slots; at++) await assign(`${name}${at}`, returns(at)).run(stage);
  for (let at = 0; at < slots; at++) await reported(`${name}${at}`, result(at)).run(stage);
}

async function sendAll(stage: Stage, order: readonly string[]): Promise<void> {
  const lost = { by: 'nowhere' } as const;
  for (const name of order) {
    if (name === 'p') await assign(name, returns('waited'), { ...lost, isPrefetch: true }).run(stage);
    else await assign(name, sleeps(name === 'brief' ? BRIEF_MS : LONG_MS), lost).run(stage);
  }
  await again(...order).run(stage);
}

const freed = [reported('brief', result(null)), reported('long', result(null)), allSlotsOnOffer];

const tookMs = (stage: Stage) => {
  const { reports, sentAt } = stage.attempt('p');
  return Math.round((reports[0]?.at ?? 0) - sentAt);
};

export const prefetchCases: Group = {
  title: 'Prefetch',
  cases: [
    {
      name: 'prefetch-starts',
      rule: 'Looking at an assignment',
      proves: 'An accepted prefetch starts when a slot becomes free.',
      slots: SLOTS,
      steps: [
        ready,
        waiting('brief', 'long', 'p'),
        reported('p', result('waited')),
        check('that was when the slot was free', (stage) => {
          const ms = tookMs(stage);
          return ms > BRIEF_MS - 50 ? undefined : `it was after ${ms} ms, and all slots were taken for ${BRIEF_MS}`;
        }),
        ...freed,
      ],
    },
    {
      name: 'prefetch-last',
      rule: 'Looking at an assignment',
      proves: 'Of the assignments in one message those without prefetch are processed first.',
      slots: SLOTS,
      steps: [ready, waiting('p', 'brief', 'long'), ...freed],
    },
    {
      name: 'prefetch-not-started',
      rule: 'Looking at an assignment',
      proves: 'An accepted prefetch that finds no slot within a second is released with NOT_STARTED.',
      slots: 1,
      steps: [
        ready,
        waiting('long', 'p'),
        reported('p', released('NOT_STARTED')),
        check('that was after a second', (stage) => {
          const ms = tookMs(stage);
          return ms > 900 && ms < 2_500 ? undefined : `it was after ${ms} ms`;
        }),
      ],
    },
    {
      name: 'prefetch-cancelled',
      rule: 'Cancels',
      proves: 'A held attempt that was not entered is released with CANCELLED.',
      slots: 1,
      steps: [ready, waiting('long', 'p'), cancel('p'), reported('p', released('CANCELLED'))],
    },
    {
      name: 'prefetch-suspended',
      rule: 'Suspensions',
      needs: 'suspend',
      proves: 'A held attempt that was not entered is released with SUSPENDED.',
      slots: 1,
      steps: [ready, waiting('long', 'p'), suspend('p'), reported('p', released('SUSPENDED'))],
    },
    {
      name: 'prefetch-drained',
      rule: 'Draining and ending',
      proves: 'Attempts that were not entered are released with DRAIN when the worker drains.',
      slots: 1,
      steps: [
        ready,
        // So that a heartbeat lists p within the second for which it may wait.
        act('asks for a beat within 150 ms', ({ session }) => {
          session.nextBeatMs = 150;
        }),
        beats(1),
        waiting('long', 'p'),
        isHeld('p', false),
        signal('SIGTERM'),
        reported('p', released('DRAIN')),
      ],
    },
  ],
};
