/** Roll-outs that begin, are judged, and are changed by hand. */
import type { StoreContext } from '../store-context.ts';
import { applyRolledOut, judge } from '../store-rollouts.ts';
import { groupOf, type LockedRows, type Operation, turned } from './locked-rows.ts';

interface RolloutRows {
  readonly definitions: readonly string[];
}

const operations: Record<string, Operation<RolloutRows>> = {
  'begin roll-outs': async (store, isReversed, { definitions }) => {
    for (const name of turned(definitions, isReversed)) await applyRolledOut(store, name);
  },
  'judge and change roll-outs': async (store, isReversed, { definitions }) => {
    for (const definition of turned(definitions, isReversed)) {
      await judge(store, definition, 2);
      await store.together(async ({ rollouts }) => {
        const rollout = await rollouts.lock({ namespace: 'default', definition, version: 2 });
        if (rollout) await rollouts.write({ ...rollout, step: 0 });
      });
    }
  },
};

async function makeRows(context: StoreContext, _: LockedRows): Promise<RolloutRows & { readonly reset: string }> {
  const definitions = [1, 2].map(() => `rolled-${crypto.randomUUID()}`).sort();
  for (const name of definitions) await applyRolledOut(context.store, name);
  const names = definitions.map((name) => `'${name}'`).join(', ');
  await context.database.script(`
CREATE TABLE kept_rollouts AS SELECT * FROM rollouts;
CREATE TABLE kept_definitions AS SELECT * FROM job_definitions WHERE name IN (${names})`);
  const reset = `
DELETE FROM job_definitions WHERE name IN (${names}); INSERT INTO job_definitions SELECT * FROM kept_definitions;
DELETE FROM rollouts; INSERT INTO rollouts SELECT * FROM kept_rollouts;`;
  return { definitions, reset };
}

export const rolloutLocks = groupOf(operations, makeRows);
