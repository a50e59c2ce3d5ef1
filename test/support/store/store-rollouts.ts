/** Roll-outs for store tests, and one call of each of their statements. */
import type { RolloutSettings } from '../../../server/domain/definitions/rollout.ts';
import type { Store } from '../../../server/engine/ports/store.ts';
import { bytes, makeDefinition } from './store-fixtures.ts';

export const settings: RolloutSettings = { steps: [{ percent: 5 }], labels: {}, minJobs: 1, maxFailureIncrease: 0.1 };

const ownUs = () => Date.now() * 1_000;

/** Stores a version that is rolled out, after a first one if there is none yet. */
export async function applyRolledOut(store: Store, name: string): Promise<void> {
  const apply = (rollout?: { readonly settings: RolloutSettings; readonly ownUs: number }) =>
    store.applyDefinition(makeDefinition(name), bytes(crypto.randomUUID()), false, rollout);
  if (!(await store.readDefinition('default', name, 0))) await apply();
  await apply({ settings, ownUs: ownUs() });
}

/** As a replica judges it. */
export function judge(store: Store, definition: string, version: number): Promise<void> {
  return store.together(async ({ rollouts }) => {
    const name = { namespace: 'default', definition, version };
    const locked = await rollouts.lockDue(name, ownUs(), 0);
    if (!locked) return;
    const { rollout, nowUs } = locked;
    const compared = await rollouts.compare(rollout);
    await rollouts.write({ ...rollout, ...compared, served: true, checkTimeUs: nowUs });
  });
}

export async function useRollouts(store: Store): Promise<void> {
  const definition = `rolled-${crypto.randomUUID()}`;
  await applyRolledOut(store, definition);
  await store.rollouts.findDue(ownUs(), 0, 10);
  await judge(store, definition, 2);
  const name = { namespace: 'default', definition, version: 0 };
  await store.rollouts.read(name);
  await store.rollouts.list('default', undefined, 10);
  await store.together(async ({ rollouts }) => {
    const rollout = await rollouts.lock(name);
    if (rollout) await rollouts.write({ ...rollout, state: 'PROMOTED', reason: 'by hand' });
  });
  await applyRolledOut(store, definition);
}
