/** Progress, checkpoints and logs: when they are sent, and that none is lost with a call. */
import type { Progress } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import type { SendHeartbeatRequest } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import type { Group } from '../case.ts';
import type { Attempt } from '../plane/attempt.ts';
import { unavailable } from '../refusal.ts';
import type { Stage } from '../stage.ts';
import { assign, cancel } from '../steps/assignments.ts';
import { spoil } from '../steps/faults.ts';
import { check, ready, until } from '../steps/life.ts';
import { cancelled, failure, reported, result } from '../steps/outcomes.ts';
import { script } from '../steps/work.ts';

const RULE = 'Progress, checkpoints and logs';
/** Sent within a second; the rest is a tolerance for a busy machine. */
const SOON_MS = 2_500;
const LINES = ['one', 'two', 'three', 'four', 'five'];

const fractions = ({ updates }: Attempt) => updates.map(({ progress }) => progress?.fraction);
const isCopied = (progress: Progress | undefined) =>
  progress?.done === 3n && progress.total === 4n && progress.unit === 'rows' && progress.message === 'copying';
const hasProgress = (request: unknown) => (request as SendHeartbeatRequest).progress.some(({ progress }) => progress);
const hasCheckpoint = (request: unknown) =>
  (request as SendHeartbeatRequest).progress.some(({ checkpoint }) => checkpoint);
const hasLogs = (request: unknown) => (request as SendHeartbeatRequest).progress.some(({ logs }) => logs.length > 0);

const checkpoints = script(
  { do: 'checkpoint', value: { done: 3 } },
  { do: 'fail', type: 'HalfWay', message: 'stopped' },
);
// Late enough that the initial heartbeats, which would carry it too, are over.
const halfWay = script(
  { do: 'sleep', ms: 500 },
  { do: 'progress', fraction: 0.5, message: 'half' },
  { do: 'until_stopped' },
);
const counts = script(
  { do: 'sleep', ms: 500 },
  { do: 'progress', done: 3, total: 4, unit: 'rows', message: 'copying' },
  { do: 'until_stopped' },
);
const lines = LINES.flatMap((message) => [
  { do: 'sleep', ms: 150 },
  { do: 'log', message },
]);
const speaks = script(...lines, { do: 'return', value: 'said' });
const speaksAndWaits = script(...lines, { do: 'until_stopped' });

const checkpointReported = check('the checkpoint was sent before the report', (stage) => {
  const { updates, reports } = stage.attempt('a');
  const shown = updates.find(({ checkpoint }) => checkpoint);
  if (!shown?.checkpoint || reports.length === 0) return 'it was not';
  const text = Buffer.from(shown.checkpoint.data).toString();
  return JSON.stringify(JSON.parse(text)) === '{"done":3}' ? undefined : `it is ${text}`;
});

/** Each once, numbered from 1, whichever call carried it. */
function logFault(stage: Stage): string | undefined {
  const messages = new Map(stage.attempt('a').logs.map(({ sequence, message }) => [Number(sequence), message]));
  const found = LINES.map((_, at) => messages.get(at + 1));
  const isRight = messages.size === LINES.length && found.every((message, at) => message === LINES[at]);
  return isRight ? undefined : `the records are ${JSON.stringify([...messages])}`;
}

export const updateCases: Group = {
  title: 'Progress, checkpoints and logs',
  cases: [
    {
      name: 'progress-soon',
      rule: RULE,
      proves: 'Progress is sent within a second, even if the next beat is not due.',
      terms: { beatMs: 10_000, leaseMs: 60_000 },
      steps: [
        ready,
        assign('a', halfWay),
        until('progress of 0.5', (stage) => fractions(stage.attempt('a')).includes(0.5), SOON_MS + 1_500),
        cancel('a'),
        reported('a', cancelled),
      ],
    },
    {
      name: 'progress-counts',
      rule: RULE,
      proves: 'Units that a handler counts are sent as it gave them.',
      terms: { beatMs: 10_000, leaseMs: 60_000 },
      steps: [
        ready,
        assign('a', counts),
        until('3 of 4 rows', (stage) => stage.attempt('a').updates.some(({ progress }) => isCopied(progress))),
        cancel('a'),
        reported('a', cancelled),
      ],
    },
    {
      name: 'progress-again',
      rule: RULE,
      proves: 'Progress of a failed beat is sent again with the next.',
      isShared: true,
      steps: [
        ready,
        spoil('SendHeartbeat', { seen: unavailable, when: hasProgress }),
        assign('a', script({ do: 'progress', fraction: 0.25, message: 'a quarter' }, { do: 'until_stopped' })),
        until('progress of 0.25', (stage) => fractions(stage.attempt('a')).includes(0.25)),
        cancel('a'),
        reported('a', cancelled),
      ],
    },
    {
      name: 'progress-newest',
      rule: RULE,
      proves: 'The newest progress is sent, with a rising sequence.',
      isShared: true,
      steps: [
        ready,
        assign(
          'a',
          script(
            { do: 'progress', fraction: 0.1 },
            { do: 'sleep', ms: 1_200 },
            { do: 'progress', fraction: 0.2 },
            { do: 'progress', fraction: 0.3 },
            { do: 'sleep', ms: 1_200 },
            { do: 'progress', fraction: 0.9 },
            { do: 'until_stopped' },
          ),
        ),
        until('progress of 0.9', (stage) => fractions(stage.attempt('a')).includes(0.9)),
        check('it never went back, and its sequence rose', (stage) => {
          const shown = stage.attempt('a').updates.filter(({ progress }) => progress);
          const isRising = shown.every(({ progress, sequence }, at) => {
            const before = shown[at - 1];
            if (!before?.progress) return true;
            return (progress?.fraction ?? 0) > before.progress.fraction
              ? sequence > before.sequence
              : sequence >= before.sequence;
          });
          return isRising
            ? undefined
            : `it was ${shown.map(({ progress, sequence }) => `${progress?.fraction} (${sequence})`).join(', ')}`;
        }),
        cancel('a'),
        reported('a', cancelled),
      ],
    },
    {
      name: 'checkpoint-before-report',
      rule: RULE,
      proves: 'An attempt is reported after the beat with its last checkpoint was answered.',
      terms: { beatMs: 10_000, leaseMs: 60_000 },
      steps: [ready, assign('a', checkpoints), reported('a', failure({ type: 'HalfWay' })), checkpointReported],
    },
    {
      name: 'checkpoint-beat-failed',
      rule: RULE,
      proves: 'When that beat fails the checkpoint is sent again, and the report waits for it.',
      isShared: true,
      steps: [
        ready,
        spoil('SendHeartbeat', { seen: unavailable, when: hasCheckpoint }),
        assign('a', checkpoints),
        reported('a', failure({ type: 'HalfWay' })),
        checkpointReported,
      ],
    },
    {
      name: 'logs-numbered',
      rule: RULE,
      proves: 'Log records are numbered from 1 and all sent, the last ones with the report.',
      isShared: true,
      steps: [ready, assign('a', speaks), reported('a', result('said')), check('all records came', logFault)],
    },
    {
      name: 'logs-soon',
      rule: RULE,
      proves: 'A log record is sent within a second, even if the next beat is not due.',
      terms: { beatMs: 10_000, leaseMs: 60_000 },
      steps: [
        ready,
        assign('a', script({ do: 'log', message: 'hello' }, { do: 'until_stopped' })),
        until(
          'its record',
          (stage) => stage.attempt('a').logs.some(({ message }) => message === 'hello'),
          SOON_MS + 1_000,
        ),
        cancel('a'),
        reported('a', cancelled),
      ],
    },
    {
      name: 'logs-beat-failed',
      rule: RULE,
      proves: 'Records that no answered beat has carried are sent again.',
      isShared: true,
      steps: [
        ready,
        spoil('SendHeartbeat', { seen: unavailable, when: hasLogs, times: 2 }),
        assign('a', speaksAndWaits),
        // Before the report, which would carry them, too.
        until('all records', (stage) => logFault(stage) === undefined),
        cancel('a'),
        reported('a', cancelled),
      ],
    },
  ],
};
