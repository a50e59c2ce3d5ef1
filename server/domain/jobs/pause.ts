/** Holding a job that waits, letting it go on, and changing what was asked for of it. Pure, as all decisions. */

import { rankOf, startOf } from '../dispatch/rank.ts';
import { continueAs, expiryOf, type Moment, waitsUntil } from './decide.ts';
import { whyOver } from './decide-due.ts';
import { transitions } from './job-state.ts';
import type { Change, Continue, OpenRun } from './run.ts';
import { earliest } from './time-limits.ts';

/** Why a job that is open can't be changed as somebody asks. */
export type PauseRefusal = 'NOT_WAITING' | 'EXPIRY_PASSED' | 'RUN_TIME_AFTER_EXPIRY';

/** Held until somebody resumes it: its expiry goes on, and the time it may run at is kept. Undefined: it is held already. */
export function decidePause(run: OpenRun, why: string): Continue | PauseRefusal | undefined {
  if (run.state === 'PAUSED') return undefined;
  if (!transitions.pause[run.state]) return 'NOT_WAITING';
  return continueAs('pause', run, {
    state: 'PAUSED',
    dueTimeUs: waitsUntil(run),
    runTimeUs: run.state === 'SCHEDULED' ? run.dueTimeUs : run.runTimeUs,
    reason: why || 'paused on request',
  });
}

/** Goes on with the rank it had: BLOCKED while it depends on something, SCHEDULED while its time to run is still to come, else READY.
 * Undefined: it is not held. */
export function decideResume(run: OpenRun, { nowUs }: Moment): Change | undefined {
  if (run.state !== 'PAUSED') return undefined;
  // READY even for a moment, it might still be started.
  const over = whyOver(run, nowUs);
  if (over) return over;
  if (run.unmetDependencies > 0) {
    const { runTimeUs } = run;
    return continueAs('resume', run, { state: 'BLOCKED', dueTimeUs: waitsUntil(run), runTimeUs, reason: null });
  }
  return continueAs('resume', run, { ...whereToWait(run.runTimeUs ?? nowUs, waitsUntil(run), nowUs), reason: null });
}

/** What is asked for; undefined: as it is. */
export interface Update {
  readonly priority?: number | undefined;
  readonly runTimeUs?: number | undefined;
  readonly expireTimeUs?: number | undefined;
}

/** New priority, time to run or expiry of a job that waits: its rank and what is due follow from them. */
export function decideUpdate(run: OpenRun, update: Update, { nowUs }: Moment): Change | PauseRefusal {
  if (!transitions.update[run.state]) return 'NOT_WAITING';
  const over = whyOver(run, nowUs);
  if (over) return over;
  if (update.expireTimeUs !== undefined && update.expireTimeUs <= nowUs) return 'EXPIRY_PASSED';
  const priority = update.priority ?? run.priority;
  const askedExpiryUs = update.expireTimeUs ?? run.expireTimeUs;
  const expireTimeUs = expiryOf({ ...run, expireTimeUs: askedExpiryUs });
  const timeUs = timeToRun(run, update.runTimeUs, nowUs);
  const startUs = timeUs ?? nowUs;
  const changesTimes = update.runTimeUs !== undefined || update.expireTimeUs !== undefined;
  const waitUs = earliest(expireTimeUs, run.limits.deadlineUs);
  if (changesTimes && waitUs !== null && startUs > waitUs) return 'RUN_TIME_AFTER_EXPIRY';
  const isKept = run.state === 'PAUSED' || run.state === 'BLOCKED';
  return continueAs('update', run, {
    ...(isKept ? { state: run.state, dueTimeUs: waitUs } : whereToWait(startUs, waitUs, nowUs)),
    runTimeUs: isKept && startUs > nowUs ? startUs : null,
    // A person has said when: what it waited for before, such as room in a retry budget, holds no more.
    reason: isKept || update.runTimeUs === undefined ? run.reason : null,
    rank: rankOf(timeUs ?? timeOf(run), priority, expireTimeUs),
    record: { priority, runTimeUs: update.runTimeUs ?? null, expireTimeUs: askedExpiryUs },
  });
}

/** SCHEDULED while its time to run is still to come, else READY; what is due besides is the end of its wait. */
export function whereToWait(
  startUs: number,
  waitUs: number | null,
  nowUs: number,
): Pick<Continue, 'state' | 'dueTimeUs'> {
  if (startUs > nowUs) return { state: 'SCHEDULED', dueTimeUs: startUs };
  return { state: 'READY', dueTimeUs: waitUs };
}

/**
 * When the job may start; null: it may already. A time that has passed lets one go on that waits for its time, and changes
 * nothing for one that has waited for a worker: going back in time would be a way past all others.
 */
function timeToRun(run: OpenRun, asked: number | undefined, nowUs: number): number | null {
  const current = run.state === 'SCHEDULED' ? run.dueTimeUs : run.runTimeUs;
  if (asked === undefined) return current;
  if (asked > nowUs) return asked;
  return current === null ? null : Math.min(nowUs, current);
}

/**
 * The start that the job's place was made of: with a fairness key it may lie ahead of the time. Where the expiry has moved
 * the job ahead, that start is not on record, and never before the job was there.
 */
function timeOf({ rank, priority, expireTimeUs, createTimeUs }: OpenRun): number {
  const startUs = startOf(rank, priority);
  return rank === expireTimeUs ? Math.max(startUs, createTimeUs) : startUs;
}
