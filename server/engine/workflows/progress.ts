/** Computes the progress of a workflow from its stored steps. */
import type { Graph } from '../../domain/workflows/graph.ts';
import { roleOf } from '../../domain/workflows/phases.ts';
import type { WorkflowProgress } from '../../domain/workflows/progress.ts';
import type { ExplainedWorkflow } from '../ports/explanations.ts';

/** Max steps named as the next ones. */
const MAX_BEHIND = 5;

export function progressOf(graph: Graph, explained: ExplainedWorkflow): WorkflowProgress {
  const { run, running, compensating } = explained;
  const role = roleOf(run.phase);
  if (!role) return compensationOf(graph, run, compensating);
  const behind = new Set(running.flatMap(({ step }) => graph.successors(step)));
  return {
    phase: run.phase,
    steps: graph.count(role),
    ended: run.ended,
    running: run.running,
    first: running.map(({ step, childId, iteration, fanOut }) => ({
      name: graph.step(step).name,
      jobId: childId,
      passes: iteration,
      items: fanOut,
    })),
    behind: [...behind].slice(0, MAX_BEHIND).map((step) => graph.step(step).name),
  };
}

function compensationOf(
  graph: Graph,
  { phase, running, ended, compensable }: ExplainedWorkflow['run'],
  now: ExplainedWorkflow['compensating'],
): WorkflowProgress {
  const first = now ? [{ name: graph.step(now.step).name, jobId: now.jobId, passes: 0, items: undefined }] : [];
  return { phase, steps: ended + compensable, ended, running, first, behind: [] };
}
