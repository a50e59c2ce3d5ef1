/** Shows a worker: what it can run, its state, and its jobs. */
import { type Handler, type HeldJob, SessionState, stateName, type Worker } from '@muster-jobs/sdk/grpc';
import { reportedText } from '../../view/progress-words.ts';
import type { Output } from './output.ts';
import { styledState } from './states.ts';
import { ageText, timeText } from './times.ts';

const troubles: Readonly<Record<string, string>> = {
  deaf: 'it receives nothing from the message bus, so nothing is assigned to it: see its log, and check its connection to the bus',
  draining: 'it was asked to finish its jobs and take no more',
  ending: 'its session is being closed; its jobs go to other workers',
};

/** Why it takes no jobs; empty: it does. */
export function troubleOf({ state, deaf, draining }: Worker): string {
  if (state !== SessionState.OPEN) return 'ending';
  if (deaf) return 'deaf';
  return draining ? 'draining' : '';
}

export function handlerText({ name, minVersion, maxVersion }: Handler): string {
  if (minVersion === 0 && maxVersion === 0) return name;
  return `${name}@${minVersion || ''}..${maxVersion || ''}`;
}

export function showWorker(out: Output, worker: Worker, heldJobs: readonly HeldJob[]): void {
  const trouble = troubleOf(worker);
  out.line(`${out.styled('bold', `Worker ${worker.name}`)}  ${trouble ? out.styled('yellow', trouble) : 'open'}`);
  out.facts(factsOf(worker, trouble), '  ');
  if (heldJobs.length === 0) return;
  out.line(
    out.styled(
      'bold',
      `Holds ${worker.heldCount > heldJobs.length ? `${worker.heldCount}, the first of them` : ''}`.trim(),
    ),
  );
  out.table(
    [
      { title: '  JOB', value: ({ jobId }) => `  ${jobId}` },
      {
        title: 'STATE',
        value: ({ state }) => stateName(state),
        style: (text, { state }) => styledState(out, state, text),
      },
      { title: 'DEFINITION', value: ({ definition }) => definition, min: 8 },
      { title: 'TRY', value: ({ attempt }) => String(attempt) },
      { title: 'FOR', value: ({ assignTime }) => ageText(assignTime) },
      {
        title: 'PROGRESS',
        value: ({ progress }) => (progress ? reportedText(progress, Date.now()) : ''),
        min: 8,
      },
    ],
    heldJobs,
  );
}

function factsOf(worker: Worker, trouble: string): [string, string][] {
  const { sdk, labels, resources } = worker;
  const pairs = (map: Readonly<Record<string, unknown>>) =>
    Object.entries(map)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ');
  return [
    ['session', worker.sessionId],
    ['namespace', worker.namespace],
    ['why', troubles[trouble] ?? ''],
    ['handlers', worker.handlers.map(handlerText).join(' ')],
    ['held', `${worker.heldCount} of ${worker.slots} slots`],
    ['labels', pairs(labels)],
    ['resources', pairs(resources)],
    ['SDK', sdk ? `${sdk.name} ${sdk.version} on ${sdk.language}` : ''],
    ['opened', timeText(worker.openTime)],
    ['last beat', timeText(worker.beatTime)],
    ['lease ends', timeText(worker.leaseExpireTime)],
  ];
}
