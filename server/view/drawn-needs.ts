/** The needs of drawn steps, by name: those that a prefix stands for included, those that are not drawn left out. */
import type { WorkflowStepRun } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';

/** A drawing has few steps, so each prefix is compared with all of their names. */
export function withDrawnNeeds(steps: readonly WorkflowStepRun[]): WorkflowStepRun[] {
  const drawn = new Set(steps.map(({ name }) => name));
  return steps.map((step) => ({
    ...step,
    needs: [...new Set([...step.needs.filter((need) => drawn.has(need)), ...matching(steps, step)])],
  }));
}

function matching(steps: readonly WorkflowStepRun[], { name, role, needsPrefixes }: WorkflowStepRun): string[] {
  if (needsPrefixes.length === 0) return [];
  const others = steps.filter((other) => other.role === role && other.name !== name);
  return others.flatMap((other) => (needsPrefixes.some((prefix) => other.name.startsWith(prefix)) ? other.name : []));
}
