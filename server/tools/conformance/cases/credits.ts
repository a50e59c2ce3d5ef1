/** The slots that a worker grants, when, and for how long. */
import type {
  ReportAttemptsRequest,
  SendHeartbeatRequest,
} from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import type { Group } from '../case.ts';
import { unavailable } from '../refusal.ts';
import type { Stage } from '../stage.ts';
import { assign, assignMany, cancel } from '../steps/assignments.ts';
import { cutBus, reopenBus, shutBus, spoil } from '../steps/faults.ts';
import { act, allSlotsOnOffer, beats, check, never, ready, settled, until } from '../steps/life.ts';
import { cancelled, isHeld, released, reported, result } from '../steps/outcomes.ts';
import { isDeaf, returns, script, waits } from '../steps/work.ts';

const now = () => performance.now();
const hasCredits = (request: unknown) => (request as SendHeartbeatRequest).credits.length > 0;

/** Remembers the newest valid credit. */
const keepCredit = act('remembers the credit', (stage) => {
  const newest = stage.session.ledger.live(now()).at(-1);
  stage.kept.set('credit', newest?.id ?? 0);
  stage.kept.set('credit at', newest?.at ?? 0);
});

const isVoided = (stage: Stage) => stage.session.ledger.voided.has(stage.kept.get('credit') ?? 0);
const ageMs = (stage: Stage) => now() - (stage.kept.get('credit at') ?? 0);

/** The credits of the failed calls must have been voided. */
function failedFault({ plane, session }: Stage, count: number): string | undefined {
  const failed = plane.callsOf('ReportAttempts').slice(0, count);
  const ids = failed.flatMap(({ request }) =>
    (request as ReportAttemptsRequest).credits.map(({ creditId }) => Number(creditId)),
  );
  const kept = ids.filter((id) => !session.ledger.voided.has(id));
  return kept.length === 0 ? undefined : `credit ${kept.join(', ')} came with a call that failed, and was never voided`;
}

/** While the failed call's credit would still be valid if it were not voided. */
const soonOnOffer = until(
  'all slots are on offer within 5 s',
  ({ session, lab }) => session.ledger.slots(now()) === lab.slots,
  5_000,
);

export const creditCases: Group = {
  title: 'Credits',
  cases: [
    {
      name: 'credit-in-report',
      rule: 'Credits',
      proves: 'A freed slot is offered in the same report that frees it.',
      terms: { beatMs: 10_000, leaseMs: 60_000 },
      steps: [
        ready,
        assign('a', returns('done')),
        reported('a', result('done')),
        check('the call that reports it grants a slot', ({ session }) => {
          const slots = session.reportCalls.at(-1)?.request.credits.reduce((sum, credit) => sum + credit.slots, 0);
          return slots === 1 ? undefined : `it grants ${slots}`;
        }),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'credit-busy',
      rule: 'Credits',
      proves: 'Busy slots are not offered until their handlers have ended.',
      slots: 4,
      steps: [
        ready,
        assignMany('a', 3, () => waits),
        ...[1, 2, 3].map((at) => isHeld(`a${at}`)),
        never('credits for more than one slot', 3_000, ({ session }) => session.ledger.slots(now()) > 1),
        check('one slot is on offer', ({ session }) => (session.ledger.slots(now()) === 1 ? undefined : 'it is not')),
        ...[1, 2, 3].flatMap((at) => [cancel(`a${at}`), reported(`a${at}`, cancelled)]),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'credit-many-rounds',
      rule: 'Credits',
      proves: 'Over many attempts the numbers of credits rise, and never more slots are offered than exist.',
      isShared: true,
      steps: [
        ready,
        ...Array.from({ length: 6 }, (_, round) => [
          assignMany(`r${round}-`, 8, (at) =>
            script({ do: 'sleep', ms: 200 }, { do: 'return', value: `${round} ${at}` }),
          ),
          ...Array.from({ length: 8 }, (_, at) => reported(`r${round}-${at + 1}`, result(`${round} ${at + 1}`))),
        ]).flat(),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'credit-replaced',
      rule: 'Credits',
      proves: 'An unused credit with less than 8 s left is voided at a beat, and replaced by another.',
      steps: [
        ready,
        keepCredit,
        until('the credit is voided', isVoided, 12_000),
        check('it was 7 s old', (stage) => {
          const age = Math.round(ageMs(stage));
          return age > 6_500 && age < 9_500 ? undefined : `it was ${age} ms old`;
        }),
        check('all slots are on offer', ({ session, lab }) => {
          const slots = session.ledger.slots(now());
          return slots === lab.slots ? undefined : `${slots} of ${lab.slots} are`;
        }),
      ],
    },
    {
      name: 'credit-life',
      rule: 'Credits',
      proves:
        'A credit lives for 15 s: an assignment after 10 s is accepted, one after 15 s is released with DEAD_CREDIT.',
      terms: { beatMs: 30_000, leaseMs: 90_000 },
      steps: [
        ready,
        keepCredit,
        until('10 s have passed', (stage) => ageMs(stage) > 10_000),
        assign('a', returns('in time'), { credit: ({ kept }) => kept.get('credit') ?? 0 }),
        reported('a', result('in time')),
        until('16 s have passed', (stage) => ageMs(stage) > 16_000),
        assign('b', returns('too late'), { credit: ({ kept }) => kept.get('credit') ?? 0 }),
        reported('b', released('DEAD_CREDIT')),
      ],
    },
    {
      name: 'credit-bus-broken',
      rule: 'Credits',
      proves:
        'When the connection to the bus breaks, unspent credits are voided; all is granted again with the next echo.',
      terms: { beatMs: 2_000 },
      steps: [ready, keepCredit, shutBus, until('the credit is voided', isVoided, 6_000), reopenBus, settled],
    },
    {
      name: 'credit-void-repeated',
      rule: 'Credits',
      proves: 'A void is repeated until a call that carried it is answered.',
      terms: { beatMs: 10_000, leaseMs: 60_000 },
      steps: [
        ready,
        keepCredit,
        spoil('SendHeartbeat', { seen: unavailable, times: 2 }),
        cutBus,
        until('the credit is voided', isVoided, 10_000),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'credit-call-failed',
      rule: 'Credits',
      proves: 'Credits of a failed call are voided and granted again.',
      terms: { beatMs: 10_000, leaseMs: 60_000 },
      steps: [
        ready,
        spoil('ReportAttempts', { seen: unavailable, when: hasCredits }),
        assign('a', returns('done')),
        reported('a', result('done')),
        soonOnOffer,
        check('the credits of the failed call are void', (stage) => failedFault(stage, 1)),
      ],
    },
    {
      name: 'credit-call-unknown',
      rule: 'Credits',
      proves: 'Credits of a call with an unknown outcome are voided, so that no slot is offered twice.',
      terms: { beatMs: 10_000, leaseMs: 60_000 },
      steps: [
        ready,
        spoil('ReportAttempts', { seen: 'cut', takesEffect: true, when: hasCredits }),
        assign('a', returns('done')),
        reported('a', result('done')),
        until('the report is repeated', (stage) => stage.attempt('a').reports.length > 1),
        soonOnOffer,
        check('the credits of the failed call are void', (stage) => failedFault(stage, 1)),
      ],
    },
    {
      name: 'credit-slot-kept',
      rule: 'Running',
      proves: 'A slot is free when its handler has returned, not when it was asked to stop.',
      slots: 3,
      steps: [
        ready,
        assign('a', isDeaf(4_000)),
        isHeld('a'),
        cancel('a'),
        never('credits for a third slot', 2_000, ({ session }) => session.ledger.slots(now()) > 2),
        reported('a', result('deaf')),
        allSlotsOnOffer,
        beats(1),
      ],
    },
  ],
};
