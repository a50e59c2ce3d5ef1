/** Transactions held open on purpose: a new version is stored while a roll-out ends. */
import { describe, expect, it } from 'vitest';
import { holdOpen, untilWaitsOrOver } from '../../support/databases/postgres-waits.ts';
import { storeWithin } from '../../support/store/create-store.ts';
import { useStore } from '../../support/store/store-context.ts';
import { applyRolledOut } from '../../support/store/store-rollouts.ts';

const context = useStore('PostgreSQL 18');

describe('a version that is stored while the roll-out before it ends', () => {
  it.each([
    ['PROMOTED', 2],
    ['ROLLED_BACK', 1],
  ] as const)('waits for the end, which is %s, and is based on version %i', async (state, baseVersion) => {
    const definition = `rolled-${crypto.randomUUID()}`;
    await applyRolledOut(context.store, definition);
    const ending = await holdOpen(context.database, async (session) => {
      const { rollouts } = storeWithin(session);
      const rollout = await rollouts.lock({ namespace: 'default', definition, version: 2 });
      if (rollout) await rollouts.write({ ...rollout, state, reason: 'a test' });
    });
    const applying = applyRolledOut(context.store, definition);
    expect(await untilWaitsOrOver(context.database, applying)).toBe('waits');
    await ending.commit();
    await applying;
    const next = await context.store.rollouts.read({ namespace: 'default', definition, version: 3 });
    expect(next).toMatchObject({ state: 'OPEN', baseVersion });
    const before = await context.store.rollouts.read({ namespace: 'default', definition, version: 2 });
    expect(before?.state).toBe(state);
  });
});
