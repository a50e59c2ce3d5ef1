/** Reads for explanations that take several statements. */
import { keyCapacity } from '../../domain/dispatch/limit-use.ts';
import type { CapacityInUse } from '../../domain/explain/worker-constraints.ts';
import type { ExplainedWorkflow, LimitOfJob, LimitQuery, LimitsOfJob } from '../ports/explanations.ts';
import type { Store } from '../ports/store.ts';

/** Limits that the job is subject to, in the order in which they must have capacity. */
export async function readLimits(store: Store, query: LimitQuery): Promise<LimitsOfJob> {
  const { queue, definition: name, limitId } = query;
  const use = await store.readLimitUse(query);
  const { definition } = use.limits;
  const cost = definition?.rateCost ?? 1;
  const maxHeld = definition?.keyLimit?.maxConcurrency ?? 0;
  const key = limitId ? await store.explain.readKeyUse(limitId, maxHeld) : undefined;
  const found: LimitOfJob[] = [
    ...(key ? [{ reason: 'KEY_LIMIT', name, capacity: keyCapacity(definition, key), cost } as const] : []),
    ...(use.definition ? [{ reason: 'DEFINITION_LIMIT', name, capacity: use.definition, cost } as const] : []),
    ...(use.queue ? [{ reason: 'QUEUE_LIMIT', name: queue, capacity: use.queue, cost } as const] : []),
  ];
  return { limits: found, nowUs: use.nowUs };
}

export async function readCapacityInUse(
  store: Store,
  laneId: number,
  sessionIds: readonly string[],
): Promise<CapacityInUse> {
  const taken = await store.readTaken(sessionIds);
  const { reserved } = await store.readReservations(laneId, sessionIds);
  return { taken, reserved };
}

/** A workflow with the first of its running steps. */
export async function readWorkflow(store: Store, jobId: string, steps: number): Promise<ExplainedWorkflow | undefined> {
  const run = await store.workflows.readRun(jobId);
  if (!run) return undefined;
  const [running, compensating] = await Promise.all([
    store.explain.readRunningSteps(jobId, steps),
    store.explain.readRunningCompensation(jobId),
  ]);
  return { run, running, compensating };
}
