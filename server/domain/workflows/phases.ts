/**
 * The phases of a workflow that runs: the work, what takes it back once it has failed, what is done about its failure, what is done
 * whatever happened, and the end.
 */
import { compensatedStep, isCompensable } from './compensation.ts';
import type { Graph } from './graph.ts';
import { type EndedStep, isFailure } from './step-state.ts';
import type { StepRole, Workflow } from './workflow.ts';

/** Each with the role of its steps, in their order. COMPENSATION is about those of the work, which are over: none may start. */
const roles = {
  WORK: 'NORMAL',
  COMPENSATION: undefined,
  ON_FAILURE: 'ON_FAILURE',
  FINALLY: 'FINALLY',
} as const satisfies Record<string, StepRole | undefined>;
export type Phase = keyof typeof roles;
/** In their order. */
export const phases = Object.keys(roles) as Phase[];

/** Why the work does not go on: a leaf of it failed, under FAIL_FAST; somebody cancelled the workflow; its time is over. */
export type FailingReason = 'FAILED' | 'CANCELLED' | 'TIMED_OUT';

export interface WorkflowRun {
  readonly phase: Phase;
  /** Steps of the phase that have been started and have not ended; in COMPENSATION what takes them back. */
  readonly running: number;
  /** Steps of the phase that have ended, in whatever way. */
  readonly ended: number;
  readonly stopReason: 'NO' | FailingReason;
  /** A leaf of the work failed, or could not start because of a failure. */
  readonly failed: boolean;
  /** The same of a leaf of the last phase. */
  readonly cleanupFailed: boolean;
  /** Steps of the work that have succeeded, have a compensation, and have not been compensated. */
  readonly compensable: number;
}

export type PhaseDecision =
  | { readonly kind: 'STAY' }
  /** The next compensation is to be started. */
  | { readonly kind: 'COMPENSATE' }
  /** `roots`: the steps that may start with it. */
  | { readonly kind: 'ENTER'; readonly phase: Phase; readonly roots: readonly number[] }
  | { readonly kind: 'END'; readonly state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED' };

/** What a step that has not been started waits for within its workflow, which runs. */
export type StepWait =
  /** It never starts: what it does is known once the workflow ends. */
  | { readonly kind: 'END' }
  /** `phases`: all that is open of the phases before its own, as long as those may go on. */
  | { readonly kind: 'STEPS'; readonly needs: readonly number[]; readonly phases: boolean };

/** A workflow that begins, with the roots of its work still to start. */
export const newRun: WorkflowRun = {
  phase: 'WORK',
  running: 0,
  ended: 0,
  stopReason: 'NO',
  failed: false,
  cleanupFailed: false,
  compensable: 0,
};

/** Undefined: no step is of the phase. */
export function roleOf(phase: Phase): StepRole | undefined {
  return roles[phase];
}

/** Of the jobs of a step, or of what takes it back. */
export function phaseOf(graph: Graph, number: number): Phase {
  if (compensatedStep(number) !== undefined) return 'COMPENSATION';
  const { role } = graph.step(number);
  return role === 'NORMAL' ? 'WORK' : role;
}

function isBefore(one: Phase, other: Phase): boolean {
  return phases.indexOf(one) < phases.indexOf(other);
}

/** A phase ends once all of it has ended, and not only its leaves: those of some rules end early. */
export function waitOf(graph: Graph, run: Pick<WorkflowRun, 'phase' | 'stopReason'>, step: number): StepWait {
  const own = phaseOf(graph, step);
  if (isBefore(own, run.phase) || (own === 'WORK' && isStopping(run))) return { kind: 'END' };
  const needs = graph.step(step).rule === 'ALWAYS' ? [] : graph.needs(step);
  return { kind: 'STEPS', needs, phases: isBefore(run.phase, own) };
}

/** Open jobs are cancelled, and no step starts. Never so after the work: clean-up is done also for what was cancelled. */
export function isStopping({ phase, stopReason }: Pick<WorkflowRun, 'phase' | 'stopReason'>): boolean {
  return phase === 'WORK' && stopReason !== 'NO';
}

/** What came first stays, but for a cancel: a job that is CANCELLING can't fail any more, so its run may not say so either. */
export function stopFor(run: WorkflowRun, why: FailingReason): WorkflowRun {
  return run.stopReason === 'NO' || why === 'CANCELLED' ? { ...run, stopReason: why } : run;
}

/** Steps have been started. A step that ends as soon as it starts, without a job, counts here and in `afterEnds`. */
export function afterStarts(run: WorkflowRun, steps: number): WorkflowRun {
  return { ...run, running: run.running + steps };
}

/** `ended`: steps of the run's phase, each once. */
export function afterEnds(
  graph: Graph,
  { failureMode }: Workflow,
  run: WorkflowRun,
  ended: readonly EndedStep[],
): WorkflowRun {
  // Only what was started succeeds or fails.
  const stopped = ended.filter(({ state }) => state === 'SUCCEEDED' || state === 'FAILED').length;
  const next = {
    ...run,
    running: run.running - stopped,
    ended: run.ended + ended.length,
    compensable: run.compensable + ended.filter((one) => isCompensable(graph, one)).length,
  };
  // A failure that a later step tolerates is none of the workflow's: it fails by its leaves.
  if (!ended.some(({ step, state }) => isFailure(state) && graph.isLeaf(step))) return next;
  switch (run.phase) {
    case 'COMPENSATION':
      return next;
    case 'WORK':
      return failureMode === 'FAIL_FAST' ? stopFor({ ...next, failed: true }, 'FAILED') : { ...next, failed: true };
    // The workflow has failed already, and why is what people must see.
    case 'ON_FAILURE':
      return next;
    case 'FINALLY':
      return { ...next, cleanupFailed: true };
  }
}

/** To be asked again after a phase was entered: its steps may all end at once. */
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

/** A compensation is to start, or runs. One at a time: what was done later is taken back first. */
function isCompensating({ phase, compensable }: WorkflowRun): boolean {
  return phase === 'COMPENSATION' && compensable > 0;
}

/** Steps that ran are skipped by hand: they count in `afterEnds` as steps that never ran. */
export function afterSkips(run: WorkflowRun, steps: number): WorkflowRun {
  return { ...run, running: run.running - steps };
}

/** The compensation of one step has ended, in whatever way; so also one that could not be started, which counts in `afterStarts`, too. */
export function afterCompensation(run: WorkflowRun): WorkflowRun {
  return { ...run, running: run.running - 1, ended: run.ended + 1, compensable: run.compensable - 1 };
}

/** A doomed work waits for what is open, since clean-up may not begin beside it, and for nothing else: the rest never starts. */
function isOver(graph: Graph, run: WorkflowRun): boolean {
  if (run.phase === 'COMPENSATION') return run.compensable === 0;
  return isStopping(run) ? run.running === 0 : run.ended === graph.count(roles[run.phase]);
}

/** The work has, or was cancelled, or is out of time. */
export function hasFailed({ failed, stopReason }: WorkflowRun): boolean {
  return failed || stopReason !== 'NO';
}

/** Somebody who cancelled it is told so, whatever else went wrong. Clean-up that did not happen must be seen. */
function endState(run: WorkflowRun): 'SUCCEEDED' | 'FAILED' | 'CANCELLED' {
  if (run.stopReason === 'CANCELLED') return 'CANCELLED';
  return hasFailed(run) || run.cleanupFailed ? 'FAILED' : 'SUCCEEDED';
}
