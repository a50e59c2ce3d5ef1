/** Pages of roll-outs are bounded in rows and in bytes. */
import { describe, expect, it } from 'vitest';
import type { RolloutName } from '../../../../../server/engine/ports/definitions.ts';
import type { StoreContext } from '../../../../support/store/store-context.ts';
import { applyRolledOut } from '../../../../support/store/store-rollouts.ts';

export function rolloutPagesSuite(context: StoreContext): void {
  /** The versions of the definition, page after page. */
  async function pagesOf(definition: string, limit: number): Promise<number[][]> {
    const pages: number[][] = [];
    let after: Omit<RolloutName, 'namespace'> = { definition, version: 1_000 };
    for (;;) {
      const { rollouts, hasMore } = await context.store.rollouts.list('default', after, limit);
      const mine = rollouts.filter((rollout) => rollout.definition === definition);
      pages.push(mine.map(({ version }) => version));
      const last = mine.at(-1);
      if (!hasMore || !last || mine.length < rollouts.length) return pages;
      after = last;
    }
  }

  describe('pages of roll-outs', () => {
    it('have at most the wanted number, and end after 2 MiB', async () => {
      const definition = `zz-${crypto.randomUUID()}`;
      for (let i = 0; i < 5; i++) await applyRolledOut(context.store, definition);
      expect(await pagesOf(definition, 2)).toEqual([[6, 5], [4, 3], [2]]);
      // The first one is in any page, however large.
      for (const [version, bytes] of [
        [6, 3 << 20],
        [5, 1 << 20],
        [4, 1 << 19],
        [3, 1 << 20],
      ] as const)
        await context.store.together(async ({ rollouts }) => {
          const rollout = await rollouts.lock({ namespace: 'default', definition, version });
          if (rollout) await rollouts.write({ ...rollout, reason: 'x'.repeat(bytes) });
        });
      expect(await pagesOf(definition, 10)).toEqual([[6], [5, 4], [3, 2]]);
    });
  });
}
