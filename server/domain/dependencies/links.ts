/** Links from dependencies to their targets: whether a target has ended already, and how. */
import { trustedTime } from '../base/trusted-time.ts';
import { MAX_LINKS, type TracedTarget } from '../events/job-spans.ts';
import { isTerminal, type JobState } from '../jobs/job-state.ts';
import type { StepState } from '../workflows/step-state.ts';
import { type Dependency, type Ending, isMet, unmetText } from './dependencies.ts';

/** A dependency after linking. */
export interface LinkedDependency {
  readonly dependency: Dependency;
  /** Undefined: it is not met yet, and may still be. */
  readonly ending: Ending | undefined;
  /** The job that last published an asset, if after the requested time. */
  readonly publisherId?: string | undefined;
}

/** An asset that others cannot publish meanwhile. */
export interface LockedAsset {
  readonly name: string;
  /** Undefined: it was never published. */
  readonly publishTimeUs: number | undefined;
  readonly jobId: string | undefined;
  readonly nowUs: number;
}

/** The state of the targets, read once they are locked. */
export interface TargetFacts {
  /** By job id, without missing jobs. */
  readonly jobs: ReadonlyMap<string, JobState>;
  /** By `keyOfStep`, without steps that have no row. */
  readonly steps: ReadonlyMap<string, StepState>;
  /** By name. */
  readonly assets: ReadonlyMap<string, LockedAsset>;
}

export function keyOfStep(workflowJobId: string, step: number): string {
  return `${workflowJobId}/${step}`;
}

/** Undefined: the target does not exist. */
export function linkOf(dependency: Dependency, facts: TargetFacts): LinkedDependency | undefined {
  const { on } = dependency;
  if (on.kind === 'ASSET') {
    const { publishTimeUs, jobId, nowUs } = facts.assets.get(on.name) as LockedAsset;
    const afterUs = on.afterUs ?? trustedTime(nowUs, on.madeUs ?? nowUs);
    const isThere = publishTimeUs !== undefined && publishTimeUs > afterUs;
    return {
      dependency: { ...dependency, on: { ...on, afterUs } },
      ending: isThere ? 'SUCCEEDED' : undefined,
      publisherId: isThere ? jobId : undefined,
    };
  }
  const state = facts.jobs.get(on.kind === 'JOB' ? on.jobId : on.workflowJobId);
  if (!state) return undefined;
  const ended = isTerminal(state) ? state : undefined;
  if (on.kind === 'JOB') return { dependency, ending: ended };
  const step = facts.steps.get(keyOfStep(on.workflowJobId, on.number ?? 0));
  if (step !== undefined && step !== 'WAITING' && step !== 'RUNNING') return { dependency, ending: step };
  // A step that an ended workflow never started counts as skipped.
  return { dependency, ending: ended && 'SKIPPED' };
}

/** Why a job can never start. Undefined: it can. */
export function whyUnmet(links: readonly LinkedDependency[]): string | undefined {
  const unmet = links.find(({ dependency, ending }) => ending && !isMet(dependency.condition, ending));
  return unmet?.ending && unmetText(unmet.dependency, unmet.ending);
}

function tracedTarget({ dependency: { on }, publisherId }: LinkedDependency): TracedTarget[] {
  switch (on.kind) {
    case 'JOB':
      return [{ jobId: on.jobId, step: undefined }];
    case 'STEP':
      return [{ jobId: on.workflowJobId, step: on.number }];
    case 'ASSET':
      return publisherId === undefined ? [] : [{ jobId: publisherId, step: undefined }];
  }
}

/** Each target once. Undefined: there is nothing to trace, as for an asset that is yet to be published. */
export function tracedTargetsOf(links: readonly LinkedDependency[]): readonly TracedTarget[] | undefined {
  const targets = new Map(links.flatMap(tracedTarget).map((target) => [`${target.jobId}/${target.step}`, target]));
  return targets.size > 0 ? [...targets.values()].slice(0, MAX_LINKS) : undefined;
}
