/** The steps that a retry takes over from the workflow that it retries. */
import { adoptable } from '../../domain/workflows/adoption.ts';
import type { Graph } from '../../domain/workflows/graph.ts';
import type { WorkflowStore, WrittenStep } from '../ports/workflows.ts';

/** Successful steps of the retried workflow's WORK phase that are still valid, in the order of their ends. */
export async function adoptedSteps(
  store: Pick<WorkflowStore, 'readPastSteps' | 'readCompensationsOf'>,
  graph: Graph,
  retryOf: string,
): Promise<WrittenStep[]> {
  const [found, compensations] = await Promise.all([store.readPastSteps(retryOf), store.readCompensationsOf(retryOf)]);
  const known = new Map(compensations.map((one) => [one.step, one]));
  const ofWork = found.filter(({ step }) => graph.step(step).role === 'NORMAL');
  const good = adoptable(
    graph,
    ofWork.map((row) => ({ ...row, compensation: known.get(row.step)?.state })),
  ).map(({ compensation: _, ...row }) => row);
  // Sorted by their ends, since compensations run in the reverse order of these.
  return good.sort((a, b) => (known.get(a.step)?.endNumber ?? 0) - (known.get(b.step)?.endNumber ?? 0));
}
