/** Soft deadlines: times by which jobs should have ended, and what happens to those that have not. */
import { rankOf } from '../dispatch/rank.ts';
import { continueAs, expiryOf } from './decide.ts';
import type { JobState } from './job-state.ts';
import { rankedFrom } from './pause.ts';
import type { Continue, OpenRun } from './run.ts';

/** Codes as stored in SQL; the same numbers as `DeadlineReaction` in the contract. */
export const deadlineReactions = { NOTIFY: 1, RAISE_PRIORITY: 2, CANCEL: 3 } as const;

export type DeadlineReaction = keyof typeof deadlineReactions;

const reactionNames = new Map(
  Object.entries(deadlineReactions).map(([name, code]) => [code as number, name as DeadlineReaction]),
);

/** Undefined: no reaction has this code. */
export function reactionOf(code: number): DeadlineReaction | undefined {
  return reactionNames.get(code);
}

interface Reaction {
  readonly reaction: DeadlineReaction;
  /** For RAISE_PRIORITY: the job's new priority. */
  readonly priority: number;
}

/** As a definition or a submission sets it. */
export interface SoftDeadline extends Reaction {
  /** From when the job may run. */
  readonly afterMs?: number;
  /** The time itself, of a submission. */
  readonly timeUs?: number;
}

/** Of one job, in microseconds on the database's clock. */
export interface JobDeadline extends Reaction {
  readonly timeUs: number;
}

/** Whether a published change is no new state, but a missed deadline. */
export function isMiss({ previousState, state }: { previousState: JobState | undefined; state: JobState }): boolean {
  return previousState === state;
}

/** `startUs`: when the job may run. */
export function jobDeadlineOf({ afterMs = 0, timeUs, reaction, priority }: SoftDeadline, startUs: number): JobDeadline {
  return { timeUs: timeUs ?? startUs + afterMs * 1000, reaction, priority };
}

/** Undefined: its priority is as high already, or it is being stopped. */
export function decideRaise(run: OpenRun, priority: number): Continue | undefined {
  if (priority <= run.priority || run.state === 'CANCELLING') return undefined;
  const { state, dueTimeUs, runTimeUs, expireTimeUs } = run;
  return continueAs('raise', run, {
    state,
    dueTimeUs,
    runTimeUs,
    rank: rankOf(rankedFrom(run), priority, expiryOf(run)),
    record: { priority, runTimeUs: null, expireTimeUs },
  });
}
