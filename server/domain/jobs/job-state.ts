/** The states of a job, and the only table of the transitions between them. */

/** Codes as stored in SQL; the same numbers as `JobState` in the contract. */
export const stateCodes = {
  BLOCKED: 1,
  SCHEDULED: 2,
  READY: 3,
  PAUSED: 4,
  ASSIGNED: 5,
  RUNNING: 6,
  WAITING: 7,
  CANCELLING: 8,
  SUCCEEDED: 9,
  FAILED: 10,
  CANCELLED: 11,
  EXPIRED: 12,
  SKIPPED: 13,
} as const;

export type JobState = keyof typeof stateCodes;

const stateNames = new Map<number, JobState>(
  Object.entries(stateCodes).map(([name, code]) => [code, name as JobState]),
);

/** Throws on an unknown code; the store can't hold one, because a CHECK constraint forbids it. */
export function stateOf(code: number): JobState {
  const state = stateNames.get(code);
  if (!state) throw new Error(`unknown job state code ${code}`);
  return state;
}

export const terminalStates = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED', 'SKIPPED'] as const;
export type TerminalState = (typeof terminalStates)[number];

/**
 * Initial states: waiting for dependencies, scheduled for later, waiting for a worker, or assigned to a session by the
 * statement that stores the job.
 */
export const firstStates = ['BLOCKED', 'SCHEDULED', 'READY', 'ASSIGNED'] as const satisfies readonly JobState[];

/** States in which a session holds the job's open attempt. */
export const heldStates = ['ASSIGNED', 'RUNNING', 'CANCELLING'] as const;

export function isTerminal(state: JobState): state is TerminalState {
  return (terminalStates as readonly string[]).includes(state);
}

/** Events that change a job's state. */
export type JobEvent =
  | 'promote'
  | 'claim'
  | 'observe'
  | 'succeed'
  | 'fail'
  | 'release'
  | 'abort'
  | 'lapse'
  | 'closeSession'
  | 'requestCancel'
  | 'confirmCancel'
  | 'timeOut'
  | 'watch'
  | 'expire'
  | 'pause'
  | 'resume'
  | 'giveUp'
  | 'update'
  | 'raise'
  | 'start'
  | 'finish'
  | 'await'
  | 'block'
  | 'unblock'
  | 'skip'
  | 'suspend'
  | 'wake';

const lostFrom = {
  ASSIGNED: ['READY', 'SCHEDULED', 'PAUSED', 'FAILED'],
  RUNNING: ['READY', 'SCHEDULED', 'PAUSED', 'FAILED'],
  CANCELLING: ['CANCELLED'],
} as const;

/** For each event, each allowed source state with its possible target states. Everything else is refused. */
export const transitions: { readonly [E in JobEvent]: { readonly [S in JobState]?: readonly JobState[] } } = {
  // SCHEDULED: a retry that does not fit into its definition's budget yet.
  promote: { SCHEDULED: ['READY', 'SCHEDULED'] },
  claim: { READY: ['ASSIGNED'] },
  observe: { ASSIGNED: ['RUNNING'] },
  // A success that commits before the cancel is confirmed wins: the work is done, and the record says so.
  succeed: { ASSIGNED: ['SUCCEEDED'], RUNNING: ['SUCCEEDED'], CANCELLING: ['SUCCEEDED'] },
  fail: {
    ASSIGNED: ['SCHEDULED', 'PAUSED', 'FAILED'],
    RUNNING: ['SCHEDULED', 'PAUSED', 'FAILED'],
    CANCELLING: ['CANCELLED'],
  },
  // FAILED: the hundredth wasted attempt, or no time left for another one.
  release: { ASSIGNED: ['READY', 'SCHEDULED', 'PAUSED', 'FAILED'], CANCELLING: ['CANCELLED'] },
  // FAILED: the job took three workers down, was lost a hundred times, or a retry rule says so.
  abort: lostFrom,
  lapse: lostFrom,
  closeSession: lostFrom,
  requestCancel: {
    BLOCKED: ['CANCELLED'],
    SCHEDULED: ['CANCELLED'],
    READY: ['CANCELLED'],
    // CANCELLING: a workflow or a batch that had begun.
    PAUSED: ['CANCELLED', 'CANCELLING'],
    // CANCELLED: without a grace period.
    ASSIGNED: ['CANCELLING', 'CANCELLED'],
    RUNNING: ['CANCELLING', 'CANCELLED'],
    CANCELLING: ['CANCELLING', 'CANCELLED'],
    // CANCELLED: a job that waits for a signal, an approval or children, since nothing runs.
    WAITING: ['CANCELLING', 'CANCELLED'],
  },
  confirmCancel: lostFrom,
  timeOut: {
    BLOCKED: ['FAILED'],
    SCHEDULED: ['FAILED'],
    READY: ['FAILED'],
    PAUSED: ['FAILED', 'WAITING'],
    RUNNING: ['SCHEDULED', 'PAUSED', 'FAILED'],
    // A workflow stops its steps first, also one that is PAUSED. FAILED: the awaited signal or approval did not arrive in time.
    WAITING: ['WAITING', 'FAILED'],
    CANCELLING: ['CANCELLED'],
  },
  // The watchdog checked, and the attempt makes progress.
  watch: { RUNNING: ['RUNNING'] },
  expire: { BLOCKED: ['EXPIRED'], SCHEDULED: ['EXPIRED'], READY: ['EXPIRED'], PAUSED: ['EXPIRED'] },
  // A job that is held is only asked to stop: `suspend` or any other end of its attempt pauses it. A workflow or a batch
  // that has begun is PAUSED at once. PAUSED: a second request changes how.
  pause: {
    PAUSED: ['PAUSED'],
    BLOCKED: ['PAUSED'],
    SCHEDULED: ['PAUSED'],
    READY: ['PAUSED'],
    ASSIGNED: ['ASSIGNED'],
    RUNNING: ['RUNNING'],
    WAITING: ['WAITING', 'PAUSED'],
  },
  // A job that was asked to stop, and has not yet, runs on. WAITING: a workflow or a batch that had begun.
  resume: {
    PAUSED: ['READY', 'SCHEDULED', 'BLOCKED', 'WAITING'],
    ASSIGNED: ['ASSIGNED'],
    RUNNING: ['RUNNING'],
    WAITING: ['WAITING'],
  },
  // A person ends it with the failure of its last attempt.
  giveUp: { PAUSED: ['FAILED'] },
  // The control plane starts a workflow, and ends it.
  start: { READY: ['WAITING'] },
  finish: { WAITING: ['SUCCEEDED', 'FAILED'], CANCELLING: ['CANCELLED'] },
  // A job begins to wait for a signal or an approval.
  await: { READY: ['WAITING'] },
  update: {
    BLOCKED: ['BLOCKED'],
    SCHEDULED: ['SCHEDULED', 'READY'],
    READY: ['READY', 'SCHEDULED'],
    PAUSED: ['PAUSED'],
  },
  // It has missed its soft deadline, and gets a higher priority.
  raise: {
    BLOCKED: ['BLOCKED'],
    SCHEDULED: ['SCHEDULED'],
    READY: ['READY'],
    PAUSED: ['PAUSED'],
    ASSIGNED: ['ASSIGNED'],
    RUNNING: ['RUNNING'],
    WAITING: ['WAITING'],
  },
  // The job gets more dependencies; all its dependencies are met; one can't be met any more.
  block: { BLOCKED: ['BLOCKED'], SCHEDULED: ['BLOCKED'], READY: ['BLOCKED'] },
  // Its handler stopped on request, or did not in time, or waits for children; the children have ended.
  suspend: {
    ASSIGNED: ['WAITING', 'READY', 'SCHEDULED', 'PAUSED', 'FAILED'],
    RUNNING: ['WAITING', 'READY', 'SCHEDULED', 'PAUSED', 'FAILED'],
    CANCELLING: ['CANCELLED'],
  },
  wake: { WAITING: ['READY', 'PAUSED'] },
  unblock: { BLOCKED: ['READY', 'SCHEDULED'] },
  skip: { BLOCKED: ['SKIPPED'], SCHEDULED: ['SKIPPED'], READY: ['SKIPPED'], PAUSED: ['SKIPPED'] },
};

/** States that an event may start from. */
export function sourcesOf(event: JobEvent): JobState[] {
  return Object.keys(transitions[event]) as JobState[];
}

/** Whether the table allows this event to lead from one state to the other. */
export function isLegal(event: JobEvent, from: JobState, to: JobState): boolean {
  return transitions[event][from]?.includes(to) ?? false;
}
