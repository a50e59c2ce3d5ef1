/** Changes of limits, and the lanes that are subject to them: their jobs are assigned by claims that check the limits. */
import type { DefinitionLimits } from '../../domain/dispatch/limits.ts';
import type { Store } from '../ports/store.ts';

/** Within a transaction that has changed a limit. Once it has committed, no lane is assigned beyond the limit. */
export async function alignLimited(tx: Store, laneIds: readonly number[]): Promise<void> {
  if (laneIds.length === 0) return;
  await tx.lockLanesToLimit(laneIds);
  await tx.alignLimitedLanes(laneIds);
}

/** Within the transaction that makes a version the newest. `limits` undefined: the version has none. */
export async function changeDefinitionLimits(
  tx: Store,
  namespace: string,
  definition: string,
  limits: DefinitionLimits | undefined,
): Promise<void> {
  const before = await tx.readDefinitionLimits(namespace, definition);
  if (JSON.stringify(before) === JSON.stringify(limits)) return;
  await tx.lockDefinitionVersions(namespace, definition);
  await tx.setDefinitionLimits(namespace, definition, limits);
  if ((before === undefined) === (limits === undefined)) return;
  await alignLimited(tx, await tx.readDefinitionLanes(namespace, definition));
}
