/** Draws the transition table as a Mermaid diagram and a table of texts, as in `docs/states.md`. */
import {
  firstStates,
  type JobEvent,
  type JobState,
  sourcesOf,
  stateCodes,
  terminalStates,
  transitions,
} from '../../../server/domain/jobs/job-state.ts';

const meanings: { readonly [S in JobState]: string } = {
  BLOCKED: 'waits for its dependencies: jobs, steps, data assets',
  SCHEDULED: 'waits for a time: a delay, a run time, a backoff',
  READY: 'waits for a worker',
  PAUSED: 'is paused by a person or a policy',
  ASSIGNED: 'is handed to a session',
  RUNNING: 'was seen running',
  WAITING: 'is a workflow whose steps run, or awaits a signal or a person',
  CANCELLING: 'was asked to stop',
  SUCCEEDED: 'returned a result',
  FAILED: 'failed, and no further attempt is made',
  CANCELLED: 'was cancelled',
  EXPIRED: 'was not started in time',
  SKIPPED: 'will never run',
};

const beginnings: { readonly [S in (typeof firstStates)[number]]: string } = {
  BLOCKED: 'submit behind others',
  SCHEDULED: 'submit for later',
  READY: 'submit',
  ASSIGNED: 'submit while a session offers a slot and no job waits for it',
};

const reasons: { readonly [E in JobEvent]: string } = {
  promote: 'its time has come; a retry without capacity in its budget keeps waiting',
  claim: 'the dispatcher assigns it to a session',
  observe: 'a heartbeat says that its handler has started',
  succeed: 'the worker reports a result',
  fail: 'the worker reports a failure',
  release: 'the worker gives it back before its handler started',
  abort: 'the worker stopped the handler because it could not prove its lease',
  lapse: "the session's lease lapsed",
  closeSession: 'the session was closed before it reported',
  requestCancel: 'somebody asks it to stop',
  confirmCancel: 'the worker reports that it stopped because of a cancel',
  timeOut: 'a limit in time was reached, or the grace period of a cancel is over',
  watch: 'the watchdog checked, and the attempt makes progress',
  expire: 'its expiry has come',
  pause: 'somebody pauses it; the handler of a job that is held is asked to stop',
  resume: 'somebody resumes it, or withdraws the request to stop',
  giveUp: 'somebody ends it with the failure of its last attempt',
  update: 'somebody changes its priority, run time or expiry',
  raise: 'it has missed its soft deadline, and gets a higher priority',
  start: 'it is a workflow, and the control plane takes it',
  finish: 'it is a workflow, and none of its steps is left to run; or the signal or person that it waited for has come',
  await: 'it waits for a signal or for a person, and its turn has come',
  block: 'somebody adds a dependency',
  unblock: 'all its dependencies are met',
  suspend: 'its handler stopped because it was asked to, or did not within the grace period; or it waits for children',
  wake: 'the children that its handler waits for have ended',
  skip: 'one of its dependencies can no longer be met',
};

const events = Object.keys(transitions) as JobEvent[];
const states = Object.keys(stateCodes) as JobState[];

/** Lines such as `READY --> ASSIGNED: claim`. Events with the same two states share a line. */
function arrows(): string[] {
  const labels = new Map<string, JobEvent[]>();
  for (const event of events) {
    for (const from of sourcesOf(event)) {
      for (const to of transitions[event][from] ?? []) {
        const ends = `${from} --> ${to}`;
        labels.set(ends, [...(labels.get(ends) ?? []), event]);
      }
    }
  }
  const place = (ends: string) =>
    states.indexOf(ends.split(' ')[0] as JobState) * 100 + states.indexOf(ends.split(' ')[2] as JobState);
  return [...labels].sort(([a], [b]) => place(a) - place(b)).map(([ends, names]) => `  ${ends}: ${names.join(', ')}`);
}

/** The complete text of `docs/states.md`. */
export function drawStates(): string {
  const table = (head: string, rows: readonly (readonly [string, string])[]) => [
    head,
    '|---|---|',
    ...rows.map(([name, text]) => `| ${name} | ${text} |`),
  ];
  return [
    '# States of a job',
    '',
    'This page is drawn from the table of transitions in `server/domain/jobs/job-state.ts`; a test compares the two, and',
    'another runs every statement that moves a job from every state. A transition that is not drawn is refused.',
    '`UPDATE=1 npm test -- state-diagram` redraws it.',
    '',
    '```mermaid',
    'stateDiagram-v2',
    ...firstStates.map((state) => `  [*] --> ${state}: ${beginnings[state]}`),
    ...arrows(),
    ...terminalStates.map((state) => `  ${state} --> [*]`),
    '```',
    '',
    ...table(
      '| state | the job |',
      states.map((state) => [`\`${state}\``, meanings[state]] as const),
    ),
    '',
    ...table(
      '| event | what happened |',
      events.map((event) => [`\`${event}\``, reasons[event]] as const),
    ),
    '',
    'A terminal state is final: a manual retry makes a new job. A job that is being cancelled never goes back to `READY`.',
    'If a result is stored before the cancel is confirmed, the result wins.',
    '',
  ].join('\n');
}
