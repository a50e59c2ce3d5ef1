/** The session's lease: the fence, an ended session, a stopped process. */
import { LeaseLossAction } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import type { SendHeartbeatRequest } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import type { Group, Step } from '../case.ts';
import { keyOf } from '../plane/attempt.ts';
import { leaseLost, unavailable } from '../refusal.ts';
import type { Stage } from '../stage.ts';
import { type AssignOptions, again, againInAnswer, assign } from '../steps/assignments.ts';
import { forEver, mend, reopenRpc, shutRpc, spoil } from '../steps/faults.ts';
import { act, allSlotsOnOffer, awaitCalls, check, never, ready, until } from '../steps/life.ts';
import { aborted, hasBegun, isHeld, notReported, released, reported, result } from '../steps/outcomes.ts';
import { works } from '../steps/proof.ts';
import { afterStop, isDeaf, returns, script, waits } from '../steps/work.ts';
import { wallClockJumps } from './wall-clock.ts';

const short = { beatMs: 1_000, leaseMs: 4_000 };
/** The duration of such a lease minus its margin of 2/15. */
const VALID_MS = 3_467;
/** Its margin is a second, so that its fence and its end are easy to distinguish. */
const wide = { beatMs: 1_500, leaseMs: 7_500 };

/** Max time from the sending of a beat to its arrival. */
const ARRIVAL_MS = 200;

const opens = ({ plane }: Stage) => plane.callsOf('OpenSession');
const continues: AssignOptions = { more: { leaseLossAction: LeaseLossAction.CONTINUE } };
const stops = afterStop({ do: 'return', value: 'late' });

const noAnswers = spoil('SendHeartbeat', { seen: 'nothing', times: forEver });

/** The time from which the worker may count. */
const lastAnswered = ({ session }: Stage) => session.beats.at(-1)?.call.at ?? 0;
const sinceAnswered = (stage: Stage) => performance.now() - lastAnswered(stage);

const fenceFalls = until('the fence falls', (stage) => sinceAnswered(stage) > VALID_MS + 300);

/** Any heartbeat sent so far, whatever its result. */
const voidsNewest = ({ plane, session }: Stage) => {
  const newest = BigInt(session.ledger.all.at(-1)?.id ?? 0);
  const beats = plane.callsOf('SendHeartbeat').map(({ request }) => request as SendHeartbeatRequest);
  return beats.some(({ voidedCreditIds }) => voidedCreditIds.includes(newest));
};

const sameSession = check('the session is the same', ({ plane }) =>
  plane.sessions.length === 1 ? undefined : `${plane.sessions.length} sessions were opened`,
);

/** The case's first session is over. */
const loseSession = act('ends the session', (stage) => {
  stage.session.isLost = true;
});

const newSession: Step = {
  text: 'a new session is opened, and offers its slots',
  async run(stage) {
    await stage.until('a new session', () => stage.plane.sessions.length > 1);
    await allSlotsOnOffer.run(stage);
  },
};

const otherRequest = check('under another request_id', (stage) => {
  const [first, second] = stage.plane.sessions.slice(-2).map(({ facts }) => facts.offer.requestId);
  return first === second ? 'it is the same' : undefined;
});

const heldInAll = (name: string) =>
  check(`every beat lists ${name}`, (stage) => {
    const { key, heldAt = 0 } = stage.attempt(name);
    const beats = stage.plane.callsOf('SendHeartbeat').filter(({ at }) => at > heldAt);
    const bare = beats.filter(
      ({ request }) => !(request as SendHeartbeatRequest).heldAttempts.some((held) => keyOf(held) === key),
    );
    if (beats.length < 3) return `only ${beats.length} beats came: it must keep beating`;
    return bare.length === 0 ? undefined : `${bare.length} of ${beats.length} beats do not`;
  });

const stopsProcess = act('stops the process (SIGSTOP)', ({ lab, kept }) => {
  lab.process?.signalAll('SIGSTOP');
  kept.set('stopped', performance.now());
});
const pastLease = until(
  'it was stopped past its lease',
  ({ kept }) => performance.now() - (kept.get('stopped') ?? 0) > 5_000,
);
const continuesProcess = act('continues it (SIGCONT)', ({ lab }) => lab.process?.signalAll('SIGCONT'));

/** `isInTime` judges the time from the arrival of the last answered beat to the report, in ms. */
const abortsWithoutAnswers = (title: string, isInTime: (ms: number) => boolean) => [
  ready,
  assign('a', waits),
  isHeld('a'),
  noAnswers,
  reported('a', aborted),
  check(title, (stage) => {
    const ms = Math.round((stage.attempt('a').reports[0]?.at ?? 0) - lastAnswered(stage));
    return isInTime(ms) ? undefined : `it was ${ms} ms after the last answered beat arrived`;
  }),
  mend('SendHeartbeat'),
  allSlotsOnOffer,
  sameSession,
];

export const leaseCases: Group = {
  title: 'Lease and fence',
  cases: [
    {
      name: 'lease-lost-beat',
      rule: 'Draining and ending',
      proves:
        'LEASE_LOST of a beat ends the session: handlers are asked to stop, their results are dropped, a new session is opened.',
      steps: [
        ready,
        assign('a', stops),
        isHeld('a'),
        loseSession,
        newSession,
        otherRequest,
        notReported('a', 1_500),
        check('nothing is held', ({ session }) =>
          (session.beats.at(-1)?.request.heldAttempts.length ?? 0) > 0 ? 'something is' : undefined,
        ),
        works,
      ],
    },
    {
      name: 'lease-lost-subject',
      rule: 'Looking at an assignment',
      proves: 'Line 2: messages for a session that is over are ignored.',
      steps: [
        ready,
        loseSession,
        newSession,
        assign('a', returns('must not run'), { by: 'nowhere' }),
        act('sends a to the session that is over', ({ plane, attempts }) => {
          const assignment = attempts.get('a')?.assignment;
          if (assignment) plane.sessions[0]?.publish({ assignments: [assignment] });
        }),
        never('a word of a', 1_500, (stage) => {
          const { heldAt, reports } = stage.attempt('a');
          return heldAt !== undefined || reports.length > 0;
        }),
      ],
    },
    {
      name: 'lease-lost-report',
      rule: 'Draining and ending',
      proves: 'LEASE_LOST of a report ends the session, too; its reports are dropped.',
      terms: { beatMs: 5_000, leaseMs: 15_000 },
      steps: [
        ready,
        spoil('ReportAttempts', { seen: leaseLost }),
        assign('a', returns('dropped')),
        newSession,
        notReported('a', 1_000),
        works,
      ],
    },
    {
      name: 'lease-lost-slot',
      rule: 'Draining and ending',
      proves: 'A handler that does not stop keeps its slot in the next session.',
      slots: 3,
      steps: [
        ready,
        assign('a', isDeaf(5_000)),
        hasBegun('a'),
        loseSession,
        until(
          'a new session offers two slots',
          ({ plane, session }) => plane.sessions.length > 1 && session.ledger.slots(performance.now()) === 2,
        ),
        never('credits for the third', 1_000, ({ session }) => session.ledger.slots(performance.now()) > 2),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'lease-lost-soon',
      rule: 'Draining and ending',
      proves: 'After a session that lasted less than a second the worker waits before the next.',
      steps: [
        spoil('SendHeartbeat', { seen: leaseLost, times: 3 }),
        ready,
        check('sessions are opened with a wait between them', (stage) => {
          const calls = opens(stage);
          const gaps = calls.slice(1).map(({ at }, before) => Math.round(at - (calls[before]?.at ?? 0)));
          if (calls.length > 8) return `${calls.length} sessions were opened`;
          return Math.min(...gaps) > 250 ? undefined : `they were opened at intervals of ${gaps.join(', ')} ms`;
        }),
      ],
    },
    {
      name: 'fence-aborts',
      rule: 'The fence',
      proves:
        "A worker whose beats are not answered stops its handlers when its lease can't be proved, and reports them aborted.",
      terms: short,
      steps: abortsWithoutAnswers('that was when the fence fell', (ms) => ms > VALID_MS - 250 && ms < VALID_MS + 1_000),
    },
    {
      name: 'fence-margin',
      rule: 'The fence',
      proves: 'A worker whose beats are not answered has stopped its handlers before its lease is over by the server.',
      terms: wide,
      // A worker counts from the sending of that beat: without a margin its fence falls that much before the end.
      steps: abortsWithoutAnswers('that was before the lease was over', (ms) => ms < wide.leaseMs - ARRIVAL_MS),
    },
    {
      name: 'fence-held',
      rule: 'The fence',
      proves: 'Behind its fence a worker keeps beating and lists aborted attempts until their reports are answered.',
      terms: short,
      steps: [
        ready,
        assign('a', stops),
        isHeld('a'),
        spoil('ReportAttempts', { seen: unavailable, times: forEver }),
        noAnswers,
        fenceFalls,
        awaitCalls('SendHeartbeat', 2),
        heldInAll('a'),
        mend('SendHeartbeat'),
        mend('ReportAttempts'),
        reported('a', aborted),
        allSlotsOnOffer,
        sameSession,
      ],
    },
    {
      name: 'fence-slot-kept',
      rule: 'The fence',
      proves: 'An aborted handler keeps its slot until it returns, and its result is dropped.',
      terms: short,
      slots: 3,
      steps: [
        ready,
        assign('a', isDeaf(9_000)),
        isHeld('a'),
        noAnswers,
        reported('a', aborted),
        mend('SendHeartbeat'),
        until('two slots are on offer', ({ session }) => session.ledger.slots(performance.now()) === 2),
        never('credits for the third', 1_000, ({ session }) => session.ledger.slots(performance.now()) > 2),
        allSlotsOnOffer,
        check('it was reported once', (stage) =>
          stage.attempt('a').reports.length === 1 ? undefined : 'it was reported again',
        ),
      ],
    },
    {
      name: 'fence-continue',
      rule: 'The fence',
      proves: 'A handler whose definition says CONTINUE keeps running behind the fence, and its result is reported.',
      terms: short,
      steps: [
        ready,
        assign('a', script({ do: 'sleep', ms: 6_000 }, { do: 'return', value: 'continued' }), continues),
        isHeld('a'),
        noAnswers,
        fenceFalls,
        mend('SendHeartbeat'),
        reported('a', result('continued')),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'fence-ignores',
      rule: 'Looking at an assignment',
      proves: 'Line 2: behind its fence a worker neither accepts nor releases; its credits are void.',
      terms: short,
      steps: [
        ready,
        noAnswers,
        fenceFalls,
        until('a beat says that its credits are void', voidsNewest, 1_500),
        assign('a', returns('too late'), {
          by: 'nowhere',
          credit: ({ session }) => session.ledger.all.at(-1)?.id ?? 0,
        }),
        again('a'),
        notReported('a', 1_000),
        mend('SendHeartbeat'),
        until('all slots are on offer', ({ session, lab }) => session.ledger.slots(performance.now()) === lab.slots),
        againInAnswer('a'),
        reported('a', released('DEAD_CREDIT')),
      ],
    },
    {
      name: 'stopped-process',
      rule: 'The fence',
      proves:
        'A process that was stopped past its lease wakes up behind its fence: it aborts its attempts and accepts nothing.',
      terms: short,
      steps: [
        ready,
        assign('a', stops),
        isHeld('a'),
        stopsProcess,
        until('it stands still', ({ kept }) => performance.now() - (kept.get('stopped') ?? 0) > 300),
        assign('b', returns('must not run')),
        pastLease,
        continuesProcess,
        reported('a', aborted),
        never('a start of b', 1_500, (stage) => {
          const { startedAt, reports } = stage.attempt('b');
          return startedAt !== undefined || reports.some(({ report }) => report.outcome.case !== 'released');
        }),
        againInAnswer('b'),
        // NOT_STARTED if it arrived just before the process was stopped.
        reported('b', released('DEAD_CREDIT', 'NOT_STARTED')),
        allSlotsOnOffer,
        sameSession,
      ],
    },
    {
      name: 'stopped-process-lapsed',
      rule: 'Draining and ending',
      proves: 'A process whose session was closed while it was stopped drops its attempts and opens another session.',
      terms: short,
      steps: [
        ready,
        assign('a', stops),
        isHeld('a'),
        stopsProcess,
        loseSession,
        pastLease,
        continuesProcess,
        newSession,
        notReported('a', 1_000),
      ],
    },
    {
      name: 'replica-switch',
      rule: 'Calls',
      proves: 'The loss and return of a replica cost neither the session nor running attempts.',
      steps: [
        ready,
        assign('a', script({ do: 'sleep', ms: 2_000 }, { do: 'return', value: 'done' })),
        isHeld('a'),
        act('remembers when', ({ kept }) => kept.set('shut', performance.now())),
        shutRpc,
        until('2.5 s have passed', ({ kept }) => performance.now() - (kept.get('shut') ?? 0) > 2_500),
        reopenRpc,
        reported('a', result('done')),
        allSlotsOnOffer,
        sameSession,
      ],
    },
    wallClockJumps,
  ],
};
