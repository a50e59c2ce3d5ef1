/** Lanes whose jobs demand resources, and claims of them, for store tests. */
import { canonicalDemands, type LaneKey, parseDemands } from '../../../server/domain/dispatch/placement.ts';
import type { Amounts } from '../../../server/domain/dispatch/resources.ts';
import type { CapacityResult, ClaimedJob } from '../../../server/engine/ports/dispatch.ts';
import type { StoreContext } from './store-context.ts';
import { completionOf, makeDefinition, makeLane, openWorker, submitMany } from './store-fixtures.ts';

export function demandingLane(context: StoreContext, resources: Amounts, key: Partial<LaneKey> = {}): Promise<number> {
  return makeLane(context, { demands: canonicalDemands({ labels: {}, resources }), ...key });
}

export interface DemandingClaimed {
  readonly jobs: ClaimedJob[];
  readonly seen: CapacityResult | undefined;
}

/** Claims with `count` permits of each session. */
export async function claimDemanding(
  context: StoreContext,
  laneId: number,
  sessionIds: readonly string[],
  count: number,
): Promise<DemandingClaimed> {
  const [lane] = await context.store.readLanes([laneId]);
  if (!lane) throw new Error(`there is no lane ${laneId}`);
  const permits = Array.from({ length: count }, () =>
    sessionIds.map((sessionId) => ({ sessionId, creditId: 7, prefetch: false })),
  ).flat();
  const needs = parseDemands(lane.demands).resources ?? {};
  const lanes = [{ laneId, cursor: 0 }];
  const claim = { permits, lanes, needs, suspects: lane.suspect, maxBytes: 8 << 20 };
  const { jobs, capacity: seen } = await context.store.claim(claim);
  return { jobs: jobs.toSorted((a, b) => a.rank - b.rank), seen };
}

/** Calls everything that a store can do with them, for tests of its statements. */
export async function useDemands(context: StoreContext): Promise<void> {
  const definition = 'demanding';
  const hash = new TextEncoder().encode(crypto.randomUUID());
  await context.store.applyDefinition(makeDefinition(definition, { handler: 'handler' }), hash, false);
  const lanes = [1, 2].map((cpu) => demandingLane(context, { cpu }, { definition }));
  const [small, big] = (await Promise.all(lanes)) as [number, number];
  await submitMany(context, small, 2);
  const [waiting = ''] = await submitMany(context, big, 1);
  const { sessionId } = await openWorker(context);
  const { jobs } = await claimDemanding(context, small, [sessionId], 1);
  await claimDemanding(context, big, [sessionId], 1);
  await context.store.renewReservations();
  await context.store.readJob('default', waiting);
  await context.store.complete(jobs.map((job) => completionOf(job)));
  await claimDemanding(context, big, [sessionId], 1);
}
