/** Targets of dependencies: locked, so that later ends are published, and checked for ends that came earlier. */
import type { Dependency, DependsOn } from '../../domain/dependencies/dependencies.ts';
import { keyOfStep, type LinkedDependency, linkOf, type TargetFacts } from '../../domain/dependencies/links.ts';
import type { Store } from '../ports/store.ts';

/**
 * Locks the targets of the jobs' dependencies, and `waiting`: open jobs that wait. Links are in the order of `lists`.
 */
export async function linkAll(
  tx: Store,
  namespace: string,
  lists: readonly (readonly Dependency[])[],
  waiting: readonly string[] = [],
): Promise<(LinkedDependency | undefined)[][]> {
  const ons = lists.flatMap((list) => list.map(({ on }) => on));
  const facts = await lockAll(tx, namespace, ons, waiting);
  return lists.map((list) => list.map((dependency) => linkOf(dependency, facts)));
}

async function lockAll(
  { dependencies }: Store,
  namespace: string,
  ons: readonly DependsOn[],
  waiting: readonly string[],
): Promise<TargetFacts> {
  const jobIds = [...new Set(ons.flatMap(jobOf))];
  const stepKeys = ons.flatMap((on) => (on.kind === 'STEP' ? [{ jobId: on.workflowJobId, step: on.number ?? 0 }] : []));
  const names = [...new Set(ons.flatMap((on) => (on.kind === 'ASSET' ? [on.name] : [])))];
  // The facts come by statements after the lock: its own statement may have begun before the previous holder committed.
  const [, jobs, steps, , assets] = await Promise.all([
    jobIds.length + waiting.length > 0 ? dependencies.lockTargets(jobIds, waiting) : undefined,
    jobIds.length > 0 ? dependencies.readTargets(namespace, jobIds) : [],
    stepKeys.length > 0 ? dependencies.readSteps(stepKeys) : [],
    names.length > 0 ? dependencies.makeAssets(namespace, names) : undefined,
    names.length > 0 ? dependencies.lockAssets(namespace, names) : [],
  ]);
  return {
    jobs: new Map(jobs.map(({ jobId, state }) => [jobId, state])),
    steps: new Map(steps.map(({ jobId, step, state }) => [keyOfStep(jobId, step), state])),
    assets: new Map(assets.map((asset) => [asset.name, asset])),
  };
}

/** The job whose end fulfils or breaks the dependency. */
function jobOf(on: DependsOn): string[] {
  if (on.kind === 'ASSET') return [];
  return [on.kind === 'JOB' ? on.jobId : on.workflowJobId];
}
