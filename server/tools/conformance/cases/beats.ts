/** When a worker sends heartbeats, their content, and its behaviour when they fail. */
import type { SendHeartbeatRequest } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import type { Group } from '../case.ts';
import type { Call } from '../plane/rpc-server.ts';
import type { Refusal } from '../refusal.ts';
import { unavailable } from '../refusal.ts';
import type { Stage } from '../stage.ts';
import { assign, assignMany, cancel } from '../steps/assignments.ts';
import { cutBus, reopenBus, shutBus, spoil } from '../steps/faults.ts';
import { act, allSlotsOnOffer, awaitCalls, beats, check, ready, settled, start, until } from '../steps/life.ts';
import { anyResult, cancelled, failure, isHeld, reported, result } from '../steps/outcomes.ts';
import { works } from '../steps/proof.ts';
import { returns, script, waits } from '../steps/work.ts';

const calls = ({ plane }: Stage) => plane.callsOf('SendHeartbeat');
const bodyOf = (call: Call | undefined) => call?.request as SendHeartbeatRequest;
const hasCredits = (request: unknown) => (request as SendHeartbeatRequest).credits.length > 0;
const slotsIn = ({ credits }: SendHeartbeatRequest) => credits.reduce((sum, { slots }) => sum + slots, 0);

function gapFault(stage: Stage, count: number, least: number, most: number): string | undefined {
  const recent = calls(stage).slice(-count - 1);
  const gaps = recent.slice(1).map(({ at }, before) => at - (recent[before]?.at ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const text = gaps.map((gap) => Math.round(gap)).join(', ');
  if (Math.min(...gaps) < least) return `beats came at intervals of ${text} ms; the minimum is ${least}`;
  return mean > most ? `beats came at intervals of ${text} ms; the maximum mean is ${most}` : undefined;
}

const chatter = Array.from({ length: 200 }, (_, at) => [
  { do: 'progress', fraction: at / 200, message: `line ${at}` },
  { do: 'log', message: `line ${at}` },
  { do: 'sleep', ms: 10 },
]).flat();

/** Reports progress continuously, for some seconds. */
const talks = script(
  ...Array.from({ length: 20 }, (_, at) => [
    { do: 'progress', fraction: at / 20 },
    { do: 'sleep', ms: 250 },
  ]).flat(),
  { do: 'return', value: 'said' },
);

const TOGETHER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** Ten attempts that fail in quick succession, each with a checkpoint. */
const failsAt = (round: string) => [
  assignMany(round, TOGETHER.length, (at) =>
    script(
      { do: 'sleep', ms: 8 * at },
      { do: 'checkpoint', value: at },
      { do: 'fail', type: 'HalfWay', message: 'again' },
    ),
  ),
  ...TOGETHER.map((at) => reported(`${round}${at}`, failure({ type: 'HalfWay' }))),
];

const tooMany: Refusal = {
  code: 'RESOURCE_EXHAUSTED',
  reason: 'OVERLOADED',
  message: 'more than 20 beats a second',
  retryMs: 2_500,
};
const badUpdate: Refusal = {
  code: 'INVALID_ARGUMENT',
  reason: 'INVALID_FIELD',
  field: 'progress[0]',
  message: 'progress is refused for a test',
};

export const beatCases: Group = {
  title: 'Heartbeats',
  cases: [
    {
      name: 'beat-first',
      rule: 'Heartbeats',
      proves: 'The first beat follows OpenSession at once, with echo 0 and without credits.',
      terms: { beatMs: 10_000 },
      steps: [
        act('lets no ping through', ({ plane }) => {
          plane.hasPings = false;
        }),
        start,
        until('a first beat', (stage) => calls(stage)[0]),
        check('it came at once and empty', (stage) => {
          const [first] = calls(stage);
          const { pingEcho, credits, heldAttempts: held, draining } = bodyOf(first);
          const lateMs = (first?.at ?? 0) - (stage.session.facts.openedAt ?? 0);
          if (lateMs > 3_000) return `it came after ${Math.round(lateMs)} ms`;
          if (pingEcho !== 0n) return `it echoes ${pingEcho}`;
          return credits.length + held.length > 0 || draining ? 'it has credits, held attempts, or drains' : undefined;
        }),
      ],
    },
    {
      name: 'beat-subscribed',
      rule: 'Heartbeats',
      proves: 'A beat follows as soon as the subscription is in force, and another when the first ping arrives.',
      terms: { beatMs: 20_000, leaseMs: 60_000 },
      steps: [
        shutBus,
        start,
        beats(1),
        reopenBus,
        until(
          'a beat with an echo and all credits',
          (stage) =>
            stage.session.beats.some(({ request }) => request.pingEcho > 0n && slotsIn(request) === stage.lab.slots),
          10_000,
        ),
      ],
    },
    {
      name: 'beat-no-credit-unheard',
      rule: 'Credits',
      proves:
        'Before the first ping arrives the worker grants nothing; the beat that carries the first echo grants all.',
      steps: [
        act('lets no ping through', ({ plane }) => {
          plane.hasPings = false;
        }),
        start,
        beats(5),
        check('no beat has credits or an echo', ({ session }) => {
          const early = session.beats.find(({ request }) => request.credits.length > 0 || request.pingEcho > 0n);
          return early ? 'one has' : undefined;
        }),
        act('lets pings through', ({ session }) => {
          session.hasPings = true;
        }),
        until('the first beat with an echo', ({ session }) =>
          session.beats.some(({ request }) => request.pingEcho > 0n),
        ),
        check('it grants all slots', (stage) => {
          const first = stage.session.beats.find(({ request }) => request.pingEcho > 0n);
          const slots = first ? slotsIn(first.request) : 0;
          return slots === stage.lab.slots ? undefined : `it grants ${slots} of ${stage.lab.slots}`;
        }),
      ],
    },
    {
      name: 'beat-interval',
      rule: 'Heartbeats',
      proves: 'A worker with nothing to report beats each interval, at most a random tenth early.',
      steps: [
        ready,
        beats(1),
        awaitCalls('SendHeartbeat', 5),
        // A late heartbeat makes the next gap short.
        check('the interval is kept', (stage) => gapFault(stage, 4, 650, 1_250)),
      ],
    },
    {
      name: 'beat-next',
      rule: 'Heartbeats',
      proves: 'A beat follows within the next_beat of an answer.',
      terms: { beatMs: 8_000, leaseMs: 60_000 },
      steps: [
        ready,
        act('asks for a beat within 400 ms', ({ session }) => {
          session.nextBeatMs = 400;
        }),
        beats(1),
        awaitCalls('SendHeartbeat', 4),
        check('beats come within 400 ms', (stage) => gapFault(stage, 3, 50, 700)),
      ],
    },
    {
      name: 'beat-echo-highest',
      rule: 'Heartbeats',
      proves: 'The highest ping that arrived is echoed, whatever the order.',
      isShared: true,
      steps: [
        ready,
        act('sends a high ping, then a low one', (stage) => {
          const { session } = stage;
          session.pings += 10;
          stage.kept.set('ping', session.pings);
          session.hasPings = false;
          session.publish({ ping: BigInt(session.pings) });
          session.publish({ ping: BigInt(session.pings - 5) });
        }),
        beats(2),
        check('the last beat echoes the high one', ({ session, kept }) => {
          const echo = Number(session.beats.at(-1)?.request.pingEcho);
          session.hasPings = true;
          return echo === kept.get('ping') ? undefined : `it echoes ${echo}, and ${kept.get('ping')} had arrived`;
        }),
      ],
    },
    {
      name: 'beat-overlapping',
      rule: 'Heartbeats',
      proves: 'A beat does not wait for the answer to the previous one; at most four are in flight.',
      terms: { beatMs: 10_000, leaseMs: 60_000 },
      steps: [
        ready,
        assign('a', talks),
        isHeld('a'),
        spoil('SendHeartbeat', { seen: 'nothing', times: 8 }),
        until(
          'two beats under way at once',
          (stage) => calls(stage).filter(({ endedAt }) => endedAt === undefined).length >= 2,
          6_000,
        ),
        reported('a', result('said')),
      ],
    },
    {
      name: 'beat-answers-reordered',
      rule: 'Heartbeats',
      proves: 'Late answers in another order do no harm.',
      terms: { beatMs: 5_000, leaseMs: 60_000 },
      steps: [
        ready,
        spoil('SendHeartbeat', { seen: { delayMs: 2_500 } }),
        spoil('SendHeartbeat', { seen: { delayMs: 200 }, times: 2 }),
        assign('a', talks),
        reported('a', result('said')),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'beat-answers-lost',
      rule: 'Heartbeats',
      proves: 'When beats took effect but their answers are lost, no slot is offered twice and none is left out.',
      steps: [
        ready,
        spoil('SendHeartbeat', { seen: 'nothing', takesEffect: true, times: 3 }),
        assign('a', returns('done')),
        reported('a', result('done')),
        awaitCalls('SendHeartbeat', 4),
        spoil('SendHeartbeat', { seen: 'nothing', takesEffect: true, times: 2, when: hasCredits }),
        cutBus,
        // Until these have failed, and their credits are granted again.
        awaitCalls('SendHeartbeat', 6),
        settled,
        works,
      ],
    },
    {
      name: 'beat-failed',
      rule: 'Heartbeats',
      proves: 'A failed beat is followed by another within a second.',
      terms: { beatMs: 5_000, leaseMs: 60_000 },
      steps: [
        ready,
        spoil('SendHeartbeat', { seen: unavailable }),
        awaitCalls('SendHeartbeat', 2),
        check('the second came within a second', (stage) => gapFault(stage, 1, 0, 1_400)),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'beat-exhausted',
      rule: 'Errors',
      proves: 'After RESOURCE_EXHAUSTED the next beat waits for its RetryInfo.',
      terms: { beatMs: 5_000, leaseMs: 60_000 },
      steps: [
        ready,
        spoil('SendHeartbeat', { seen: tooMany }),
        awaitCalls('SendHeartbeat', 2),
        check('the second came after 2.5 s', (stage) => gapFault(stage, 1, 2_400, 4_500)),
        allSlotsOnOffer,
      ],
    },
    {
      name: 'beat-rate',
      rule: 'Heartbeats',
      proves: 'However much handlers report, there are never more than 20 beats a second.',
      isShared: true,
      steps: [
        ready,
        assignMany('a', 5, () => script(...chatter)),
        ...[1, 2, 3, 4, 5].map((at) => reported(`a${at}`, anyResult, { withinMs: 30_000 })),
      ],
    },
    {
      name: 'beat-rate-checkpoints',
      rule: 'Heartbeats',
      proves: 'The same holds when each failure waits for the beat with its checkpoint.',
      isShared: true,
      steps: [ready, ...Array.from({ length: 20 }, (_, at) => failsAt(`round ${at}, `)).flat(), allSlotsOnOffer],
    },
    {
      name: 'beat-update-refused',
      rule: 'Errors',
      proves: 'Progress that the server refuses is not sent again, and the session continues.',
      terms: { beatMs: 2_000 },
      steps: [
        ready,
        spoil('SendHeartbeat', {
          seen: badUpdate,
          when: (request) => (request as SendHeartbeatRequest).progress.length > 0,
        }),
        assign('a', script({ do: 'progress', fraction: 0.5 }, { do: 'until_stopped' })),
        isHeld('a'),
        beats(2),
        check('it is not said again', (stage) =>
          stage.attempt('a').updates.some(({ progress }) => progress) ? 'it was' : undefined,
        ),
        cancel('a'),
        reported('a', cancelled),
      ],
    },
    {
      name: 'beat-lists-all',
      rule: 'What is held',
      proves: 'A beat lists every held attempt, as started once its handler was entered.',
      slots: 40,
      steps: [
        ready,
        assignMany('a', 40, () => waits),
        until('a beat lists all 40 as started', ({ session }) =>
          session.beats.some(({ request }) => request.heldAttempts.filter(({ started }) => started).length === 40),
        ),
        beats(2),
        ...Array.from({ length: 40 }, (_, at) => cancel(`a${at + 1}`)),
        ...Array.from({ length: 40 }, (_, at) => reported(`a${at + 1}`, cancelled)),
      ],
    },
  ],
};
