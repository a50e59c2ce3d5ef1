/** What a job waits for before it may start: ends of jobs and of steps, publications of data assets. */

import { systemFailure } from '../base/payload.ts';
import { continueAs, end, isSuspended, type Moment, requeue, waitsUntil } from '../jobs/decide.ts';
import { whyOver } from '../jobs/decide-due.ts';
import { transitions } from '../jobs/job-state.ts';
import { whereToWait } from '../jobs/pause.ts';
import type { Change, OpenRun } from '../jobs/run.ts';

/** Per job. */
export const MAX_DEPENDENCIES = 100;

/** Codes as stored in SQL; the same numbers as `DependencyCondition` in the contract. */
export const conditions = { SUCCEEDED: 1, ENDED: 2, FAILED: 3 } as const;
export type Condition = keyof typeof conditions;

/** Codes as stored in SQL. */
export const dependencyKinds = { JOB: 1, STEP: 2, ASSET: 3 } as const;

export type DependsOn =
  | { readonly kind: 'JOB'; readonly jobId: string }
  /** `number`: the step's number in its workflow, once resolved. */
  | { readonly kind: 'STEP'; readonly workflowJobId: string; readonly step: string; readonly number?: number }
  | {
      readonly kind: 'ASSET';
      readonly name: string;
      /** Undefined: any publication after the dependency was made. */
      readonly afterUs?: number | undefined;
      /** When it was made, by the replica's own clock. */
      readonly madeUs?: number;
    };

export interface Dependency {
  readonly on: DependsOn;
  /** Ignored for an asset. */
  readonly condition: Condition;
}

/** How a job or a step ended. */
export const endings = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED', 'SKIPPED', 'UPSTREAM_FAILED'] as const;
export type Ending = (typeof endings)[number];

const failures: ReadonlySet<Ending> = new Set(['FAILED', 'CANCELLED', 'EXPIRED', 'UPSTREAM_FAILED']);

/** Whether an ending satisfies the condition. The answer is final. */
export function isMet(condition: Condition, ending: Ending): boolean {
  switch (condition) {
    case 'SUCCEEDED':
      return ending === 'SUCCEEDED';
    case 'ENDED':
      return true;
    case 'FAILED':
      return failures.has(ending);
  }
}

/** The awaited job, step or asset by name. */
export function targetText(on: DependsOn): string {
  switch (on.kind) {
    case 'JOB':
      return `job ${on.jobId}`;
    case 'STEP':
      return `step ${on.step} of workflow ${on.workflowJobId}`;
    case 'ASSET':
      return `asset ${on.name}`;
  }
}

const asked: Readonly<Record<Condition, string>> = { SUCCEEDED: 'to succeed', ENDED: 'to end', FAILED: 'to fail' };

/** Text of a dependency: `job … to succeed`. */
export function waitText({ on, condition }: Dependency): string {
  return on.kind === 'ASSET' ? `asset ${on.name} to be published` : `${targetText(on)} ${asked[condition]}`;
}

/** Why a job is skipped. */
export function unmetText(dependency: Dependency, ending: Ending): string {
  return `it depended on ${waitText(dependency)}, which ended ${ending}`;
}

/**
 * Everything that the job depended on, or its handler waited for, has come about. Undefined: the job is paused and
 * stays so.
 */
export function decideUnblock(run: OpenRun, { nowUs }: Moment): Change | undefined {
  // Ahead of jobs that came after it: it keeps the rank of its submission.
  if (isSuspended(run)) return requeue('wake', run, 0, nowUs, { reason: null });
  if (run.state !== 'BLOCKED') return undefined;
  // Checked first: if it were READY even for a moment, it might still be started.
  const over = whyOver(run, nowUs);
  if (over) return over;
  return continueAs('unblock', run, { ...whereToWait(run.runTimeUs ?? nowUs, waitsUntil(run), nowUs), reason: null });
}

/** A dependency can't be satisfied any more. Undefined: the job does not wait any more. */
export function decideSkip(run: OpenRun, why: string): Change | undefined {
  if (!transitions.skip[run.state]) return undefined;
  const failure = systemFailure('DEPENDENCY', 'DependencyUnmet', why);
  return end('skip', run, 'SKIPPED', { failure, reason: why, skipReason: 'UPSTREAM_FAILED' });
}

/** Adds dependencies to a waiting job. */
export function decideBlock(run: OpenRun, { nowUs }: Moment): Change | 'NOT_WAITING' {
  if (!transitions.block[run.state]) return 'NOT_WAITING';
  const over = whyOver(run, nowUs);
  if (over) return over;
  const runTimeUs = run.state === 'SCHEDULED' ? run.dueTimeUs : run.runTimeUs;
  return continueAs('block', run, { state: 'BLOCKED', dueTimeUs: waitsUntil(run), runTimeUs, reason: null });
}
