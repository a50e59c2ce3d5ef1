/** Changes circuit breakers under their locks, together with the gates of their lanes. */
import type { BreakerStatus } from '../../domain/retries/circuit-breaker.ts';
import type { BreakerChange, BreakerKey, BreakerRow, DecideBreaker } from '../ports/breakers.ts';
import type { LaneHead } from '../ports/lanes.ts';
import type { Store } from '../ports/store.ts';

const isHolding = ({ state }: BreakerStatus) => state !== 'CLOSED';

/** Within `together`: sets or clears the gates of the breakers' lanes. Returns the lanes that it opened. */
async function gateLanesOf(tx: Store, isHeld: boolean, breakers: readonly BreakerKey[]): Promise<number[]> {
  const laneIds: number[] = [];
  for (const breaker of breakers) laneIds.push(...(await tx.readBreakerLanes(breaker)));
  return tx.gateLanes(laneIds, 'breakerOpen', isHeld);
}

/** One transaction: lock, decide, write, gate or open lanes. `make` inserts missing breakers first. */
export function changeBreakers(
  store: Store,
  keys: readonly BreakerKey[],
  decide: DecideBreaker,
  make = false,
): Promise<BreakerChange> {
  return store.together(async (tx) => {
    if (make) await tx.makeBreakers(keys);
    const locked = await tx.lockBreakers(keys);
    const breakers: BreakerRow[] = [];
    const changed: BreakerRow[] = [];
    const [opened, closed]: [BreakerKey[], BreakerKey[]] = [[], []];
    for (const { breaker: before, nowUs } of locked) {
      const after = { ...before, ...decide(before, nowUs) };
      breakers.push(after);
      if (JSON.stringify(after) !== JSON.stringify(before)) changed.push(after);
      if (isHolding(after) !== isHolding(before)) (isHolding(after) ? opened : closed).push(after);
    }
    if (changed.length > 0) await tx.writeBreakers(changed);
    await gateLanesOf(tx, true, opened);
    const heads = await tx.readHeadsOf(await gateLanesOf(tx, false, closed));
    return { breakers, heads, nowUs: locked[0]?.nowUs ?? 0 };
  });
}

/** Aligns the gates of lanes with their breakers where they differ. Returns the heads of the lanes that it opened. */
export async function alignGatedLanes(store: Store): Promise<LaneHead[]> {
  const misgated = await store.readMisgated();
  if (misgated.length === 0) return [];
  return store.together(async (tx) => {
    const holding = (await tx.lockBreakers(misgated)).map(({ breaker }) => breaker).filter(isHolding);
    await gateLanesOf(tx, true, holding);
    const others = misgated.filter(
      ({ namespace, name }) => !holding.some((one) => one.namespace === namespace && one.name === name),
    );
    return tx.readHeadsOf(await gateLanesOf(tx, false, others));
  });
}
