/** Acceptance of an assignment: the table of five lines, in order. */
import { create } from '@bufbuild/protobuf';
import { CancelNoticeSchema } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import type { Group } from '../case.ts';
import { noticeOf } from '../plane/session.ts';
import type { Stage } from '../stage.ts';
import { again, againInAnswer, assign, assignMany, cancel } from '../steps/assignments.ts';
import { cutBus } from '../steps/faults.ts';
import { act, allSlotsOnOffer, beats, check, never, ready, settled, until } from '../steps/life.ts';
import { cancelled, isHeld, notReported, released, reported, result } from '../steps/outcomes.ts';
import { returns, waits } from '../steps/work.ts';

const NEVER_GRANTED = 999_999;
const unknownWork = { handler: 'no-such-handler', input: undefined };

/** Long enough for a duplicate to be processed, and to be reported if it is not ignored. */
const noSecondReport = (name: string) =>
  never(`a second report of ${name}`, 1_500, (stage) => stage.attempt(name).reports.length > 1);

/** A cancel notice for an attempt that the worker has not received. */
const notice = (name: string) =>
  act(`cancels ${name}, which has not come`, (stage) =>
    stage.session.publish({ cancels: [noticeOf(stage.attempt(name))] }),
  );

const newest = ({ session }: Stage) => session.ledger.live(performance.now()).at(-1)?.id ?? 0;

/** All in one message, each twice and in random order. */
const shuffled = (names: readonly string[]) =>
  act('sends all twice, in another order', (stage) => {
    const { session, prng } = stage;
    const assignments = prng.shuffled([...names, ...names]).map((name) => stage.attempt(name).assignment);
    session.publish({ assignments: assignments.slice(0, 7) });
    session.publish({ assignments: assignments.slice(7) });
    for (const name of names) stage.attempt(name).sentAt = performance.now();
  });

const ten = Array.from({ length: 10 }, (_, at) => `a${at + 1}`);

export const assignmentCases: Group = {
  title: 'Looking at an assignment',
  cases: [
    {
      name: 'assign-duplicate-held',
      rule: 'Looking at an assignment',
      proves: 'Line 1: an assignment of a held attempt is ignored.',
      isShared: true,
      steps: [
        ready,
        assign('a', waits),
        isHeld('a'),
        again('a', 'a'),
        notReported('a', 1_500),
        cancel('a'),
        reported('a', cancelled),
        noSecondReport('a'),
      ],
    },
    {
      name: 'assign-duplicate-ended',
      rule: 'Looking at an assignment',
      proves: 'Line 1: an assignment of an ended attempt is ignored while its credit lives.',
      isShared: true,
      steps: [
        ready,
        assign('a', returns(1)),
        reported('a', result(1)),
        beats(1),
        again('a', 'a'),
        noSecondReport('a'),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'assign-duplicate-released',
      rule: 'Looking at an assignment',
      proves: 'Line 1: a released attempt counts as seen, too.',
      isShared: true,
      steps: [
        ready,
        assign('a', unknownWork),
        reported('a', released('UNSUPPORTED')),
        beats(1),
        again('a'),
        noSecondReport('a'),
      ],
    },
    {
      name: 'assign-doubled-reordered',
      rule: 'Looking at an assignment',
      proves: 'Doubled assignments in any order run once each.',
      steps: [
        ready,
        ...ten.map((name) => assign(name, returns(name), { by: 'nowhere' })),
        shuffled(ten),
        ...ten.map((name) => reported(name, result(name))),
        ...ten.map((name) =>
          check(`${name} was reported once`, (stage) =>
            stage.attempt(name).reports.length === 1 ? undefined : 'it was reported more than once',
          ),
        ),
        noSecondReport('a1'),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'assign-cancelled-before',
      rule: 'Looking at an assignment',
      proves: 'Line 3: an attempt whose cancel came before is released with CANCELLED.',
      isShared: true,
      steps: [
        ready,
        assign('a', returns(1), { by: 'nowhere' }),
        notice('a'),
        again('a'),
        reported('a', released('CANCELLED')),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'assign-cancelled-together',
      rule: 'Heartbeats',
      proves: 'Cancels are processed before the assignments of the same answer.',
      isShared: true,
      steps: [
        ready,
        assign('a', returns(1), { by: 'nowhere' }),
        act('sends assignment and cancel in one message', (stage) => {
          const attempt = stage.attempt('a');
          attempt.sentAt = performance.now();
          stage.session.publish({ assignments: [attempt.assignment], cancels: [noticeOf(attempt)] });
        }),
        reported('a', released('CANCELLED')),
      ],
    },
    {
      name: 'assign-cancelled-dead',
      rule: 'Looking at an assignment',
      proves: 'Line 3 comes before line 5: a cancelled attempt is released with CANCELLED whatever its credit.',
      isShared: true,
      steps: [
        ready,
        assign('a', returns(1), { by: 'nowhere', credit: NEVER_GRANTED }),
        notice('a'),
        again('a'),
        reported('a', released('CANCELLED')),
      ],
    },
    {
      name: 'assign-unsupported',
      rule: 'Looking at an assignment',
      proves: 'Line 5: an attempt for an unknown handler is released with UNSUPPORTED.',
      isShared: true,
      steps: [ready, assign('a', unknownWork), reported('a', released('UNSUPPORTED')), allSlotsOnOffer],
    },
    {
      name: 'assign-unknown-credit',
      rule: 'Looking at an assignment',
      proves: 'Line 5: an attempt under a credit that was never granted is released with DEAD_CREDIT.',
      isShared: true,
      steps: [
        ready,
        assign('a', returns(1), { credit: NEVER_GRANTED }),
        reported('a', released('DEAD_CREDIT')),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'assign-voided-credit',
      rule: 'Looking at an assignment',
      proves: 'Line 5: an attempt under a credit that was voided is released with DEAD_CREDIT.',
      steps: [
        ready,
        act('remembers the credit', (stage) => stage.kept.set('credit', newest(stage))),
        cutBus,
        until('it is voided', ({ session, kept }) => session.ledger.voided.has(kept.get('credit') ?? 0)),
        settled,
        assign('a', returns(1), { credit: ({ kept }) => kept.get('credit') ?? 0 }),
        reported('a', released('DEAD_CREDIT')),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'assign-overspent',
      rule: 'Looking at an assignment',
      proves: 'Line 5: attempts beyond the permits of a credit are released, with NO_SLOT or DEAD_CREDIT.',
      slots: 2,
      steps: [
        ready,
        assignMany('a', 3, () => waits, { credit: newest }),
        isHeld('a1'),
        isHeld('a2'),
        reported('a3', released('NO_SLOT', 'DEAD_CREDIT')),
        cancel('a1'),
        cancel('a2'),
        reported('a1', cancelled),
        reported('a2', cancelled),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'assign-no-prefetch-place',
      rule: 'Looking at an assignment',
      proves: 'Line 5: a prefetch whose credit has no permit of that kind is released.',
      steps: [
        ready,
        assign('a', returns(1), { credit: newest, isPrefetch: true }),
        reported('a', released('NO_SLOT', 'DEAD_CREDIT')),
      ],
    },
    {
      name: 'assign-in-answer',
      rule: 'Heartbeats',
      proves: 'Assignments in the answer to a beat are processed as if they had come over the bus.',
      isShared: true,
      steps: [
        ready,
        assign('a', returns('by answer'), { by: 'answer' }),
        reported('a', result('by answer')),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'assign-lost-again',
      rule: 'Grants that come again',
      proves: 'A lost assignment that comes again in an answer is accepted.',
      isShared: true,
      steps: [
        ready,
        assign('a', returns('at last'), { by: 'nowhere' }),
        beats(2),
        check('nothing is known of it', (stage) =>
          stage.attempt('a').heldAt === undefined ? undefined : 'it is held',
        ),
        againInAnswer('a'),
        reported('a', result('at last')),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'assign-lost-with-credit',
      rule: 'Grants that come again',
      proves: 'One that comes again after its credit has ended is released with DEAD_CREDIT.',
      steps: [
        ready,
        assign('a', returns(1), { by: 'nowhere' }),
        cutBus,
        until('its credit is voided', (stage) =>
          stage.session.ledger.voided.has(Number(stage.attempt('a').assignment.creditId)),
        ),
        settled,
        againInAnswer('a'),
        reported('a', released('DEAD_CREDIT')),
      ],
    },
    {
      name: 'assign-cancel-remembered',
      rule: 'Cancels',
      proves: 'A cancel for an attempt that has not come is still remembered after 12 s.',
      terms: { beatMs: 1_000, leaseMs: 60_000 },
      steps: [
        ready,
        act('cancels an attempt that comes later', (stage) => {
          const jobId = stage.prng.uuid();
          stage.newAttempt('a', { jobId, handler: 'echo', creditId: BigInt(NEVER_GRANTED) });
          stage.session.publish({ cancels: [create(CancelNoticeSchema, { jobId, attempt: 1 })] });
          stage.kept.set('at', performance.now());
        }),
        until('12 s have passed', ({ kept }) => performance.now() - (kept.get('at') ?? 0) > 12_000),
        again('a'),
        reported('a', released('CANCELLED')),
      ],
    },
  ],
};
