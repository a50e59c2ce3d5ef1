/**
 * The phases of a running workflow: the work, compensations after a failure, failure handlers, final steps, the end.
 */
import { compensatedStep, isCompensable } from './compensation.ts';
import type { Graph } from './graph.ts';
import { type EndedStep, isFailure } from './step-state.ts';
import type { StepRole, Workflow } from './workflow.ts';

/**
 * Each phase with the role of its steps, in order. COMPENSATION has no role: it undoes steps of the work, and starts
 * none.
 */
const roles = {
  WORK: 'NORMAL',
  COMPENSATION: undefined,
  ON_FAILURE: 'ON_FAILURE',
  FINALLY: 'FINALLY',
} as const satisfies Record<string, StepRole | undefined>;
export type Phase = keyof typeof roles;
/** In order. */
export const phases = Object.keys(roles) as Phase[];

/** Why the work stops: a leaf failed under FAIL_FAST, the workflow was cancelled, or it timed out. */
export type FailingReason = 'FAILED' | 'CANCELLED' | 'TIMED_OUT';

export interface WorkflowRun {
  readonly phase: Phase;
  /** Steps of the phase that were started and have not ended; in COMPENSATION the compensations that run. */
  readonly running: number;
  /** Steps of the phase that have ended in any way. */
  readonly ended: number;
  readonly stopReason: 'NO' | FailingReason;
  /** A leaf of the work failed, or could not start because of a failure. */
  readonly failed: boolean;
  /** A leaf of the last phase failed, or could not start because of a failure. */
  readonly cleanupFailed: boolean;
  /** Steps of the work that have succeeded, have a compensation, and have not been compensated. */
  readonly compensable: number;
}

export type PhaseDecision =
  | { readonly kind: 'STAY' }
  /** The next compensation must start. */
  | { readonly kind: 'COMPENSATE' }
  /** `roots`: the steps that may start with the phase. */
  | { readonly kind: 'ENTER'; readonly phase: Phase; readonly roots: readonly number[] }
  | { readonly kind: 'END'; readonly state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED' };

/** What a step that was not started waits for within its running workflow. */
export type StepWait =
  /** The step never starts; its final state is known once the workflow ends. */
  | { readonly kind: 'END' }
  /** `phases`: it also waits for earlier phases that may still run. */
  | { readonly kind: 'STEPS'; readonly needs: readonly number[]; readonly phases: boolean };

/** A new workflow whose roots are still to be started. */
export const newRun: WorkflowRun = {
  phase: 'WORK',
  running: 0,
  ended: 0,
  stopReason: 'NO',
  failed: false,
  cleanupFailed: false,
  compensable: 0,
};

/** Undefined: the phase has no steps of its own. */
export function roleOf(phase: Phase): StepRole | undefined {
  return roles[phase];
}

/** The phase of the jobs of a step, or of its compensation. */
export function phaseOf(graph: Graph, number: number): Phase {
  if (compensatedStep(number) !== undefined) return 'COMPENSATION';
  const { role } = graph.step(number);
  return role === 'NORMAL' ? 'WORK' : role;
}

function isBefore(one: Phase, other: Phase): boolean {
  return phases.indexOf(one) < phases.indexOf(other);
}

/** A phase ends once all its steps have ended, not only its leaves: leaves with some rules end early. */
export function waitOf(graph: Graph, run: Pick<WorkflowRun, 'phase' | 'stopReason'>, step: number): StepWait {
  const own = phaseOf(graph, step);
  if (isBefore(own, run.phase) || (own === 'WORK' && isStopping(run))) return { kind: 'END' };
  const needs = graph.step(step).rule === 'ALWAYS' ? [] : graph.needs(step);
  return { kind: 'STEPS', needs, phases: isBefore(run.phase, own) };
}

/** Open jobs are cancelled and no step starts. Only during the work: clean-up also runs for a cancelled workflow. */
export function isStopping({ phase, stopReason }: Pick<WorkflowRun, 'phase' | 'stopReason'>): boolean {
  return phase === 'WORK' && stopReason !== 'NO';
}

/**
 * The first reason stays, except that a cancel replaces it: a job that is CANCELLING can't fail any more, so neither
 * may its run.
 */
export function stopFor(run: WorkflowRun, why: FailingReason): WorkflowRun {
  return run.stopReason === 'NO' || why === 'CANCELLED' ? { ...run, stopReason: why } : run;
}

/** Steps were started. A step that ends at once without a job counts here and in `afterEnds`. */
export function afterStarts(run: WorkflowRun, steps: number): WorkflowRun {
  return { ...run, running: run.running + steps };
}

/** `ended`: steps of the run's phase; each is counted once. */
export function afterEnds(
  graph: Graph,
  { failureMode }: Workflow,
  run: WorkflowRun,
  ended: readonly EndedStep[],
): WorkflowRun {
  // Only started steps succeed or fail.
  const stopped = ended.filter(({ state }) => state === 'SUCCEEDED' || state === 'FAILED').length;
  const next = {
    ...run,
    running: run.running - stopped,
    ended: run.ended + ended.length,
    compensable: run.compensable + ended.filter((one) => isCompensable(graph, one)).length,
  };
  // A failure that a later step tolerates does not fail the workflow: its leaves decide.
  if (!ended.some(({ step, state }) => isFailure(state) && graph.isLeaf(step))) return next;
  switch (run.phase) {
    case 'COMPENSATION':
      return next;
    case 'WORK':
      return failureMode === 'FAIL_FAST' ? stopFor({ ...next, failed: true }, 'FAILED') : { ...next, failed: true };
    // The workflow has already failed, and its first reason is the one to show.
    case 'ON_FAILURE':
      return next;
    case 'FINALLY':
      return { ...next, cleanupFailed: true };
  }
}

/** Call again after entering a phase: its steps may all end at once. */
export function decidePhase(graph: Graph, run: WorkflowRun): PhaseDecision {
  if (isCompensating(run)) return run.running === 0 ? { kind: 'COMPENSATE' } : { kind: 'STAY' };
  if (!isOver(graph, run)) return { kind: 'STAY' };
  for (const phase of phases.slice(phases.indexOf(run.phase) + 1)) {
    if (phase === 'COMPENSATION') {
      if (hasFailed(run) && run.compensable > 0) return { kind: 'ENTER', phase, roots: [] };
      continue;
    }
    const isCalledFor = phase !== 'ON_FAILURE' || hasFailed(run);
    const role = roles[phase];
    if (isCalledFor && graph.count(role) > 0) return { kind: 'ENTER', phase, roots: graph.roots(role) };
  }
  return { kind: 'END', state: endState(run) };
}

export function enterPhase(run: WorkflowRun, phase: Phase): WorkflowRun {
  return { ...run, phase, running: 0, ended: 0 };
}

/** A compensation runs or must start. One at a time, in reverse order of the steps' ends. */
function isCompensating({ phase, compensable }: WorkflowRun): boolean {
  return phase === 'COMPENSATION' && compensable > 0;
}

/** Running steps are skipped manually: in `afterEnds` they count as steps that never ran. */
export function afterSkips(run: WorkflowRun, steps: number): WorkflowRun {
  return { ...run, running: run.running - steps };
}

/**
 * The compensation of one step has ended in any way. One that could not be started counts here and in `afterStarts`.
 */
export function afterCompensation(run: WorkflowRun): WorkflowRun {
  return { ...run, running: run.running - 1, ended: run.ended + 1, compensable: run.compensable - 1 };
}

/**
 * Stopping work waits only for its open steps, because clean-up may not run concurrently with it; the remaining steps
 * never start.
 */
function isOver(graph: Graph, run: WorkflowRun): boolean {
  if (run.phase === 'COMPENSATION') return run.compensable === 0;
  return isStopping(run) ? run.running === 0 : run.ended === graph.count(roles[run.phase]);
}

/** The work failed, was cancelled, or timed out. */
export function hasFailed({ failed, stopReason }: WorkflowRun): boolean {
  return failed || stopReason !== 'NO';
}

/** A cancelled workflow ends CANCELLED, whatever else went wrong. A failed clean-up must be visible as FAILED. */
function endState(run: WorkflowRun): 'SUCCEEDED' | 'FAILED' | 'CANCELLED' {
  if (run.stopReason === 'CANCELLED') return 'CANCELLED';
  return hasFailed(run) || run.cleanupFailed ? 'FAILED' : 'SUCCEEDED';
}
