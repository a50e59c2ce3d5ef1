/** Lists that are read in pages. */
import { expect, it } from 'vitest';
import type { PlacementOffer } from '../../../../server/domain/explain/placement-reason.ts';
import { readPages } from '../../../../server/engine/base/pages.ts';
import { readOffers } from '../../../../server/engine/sessions/offers.ts';

const ids = (count: number) => Array.from({ length: count }, (_, i) => `id-${String(i).padStart(5, '0')}`);

it.each([0, 1, 9, 10, 11, 20, 21])('a list of %i rows is read to its end', async (count) => {
  const all = ids(count);
  const read = async (last: string | undefined) => all.filter((id) => id > (last ?? '')).slice(0, 10);
  expect(await readPages(10, read)).toEqual(all);
});

it('the offers of more sessions than a page has are all read', async () => {
  const all = ids(2_001).map((sessionId) => ({ sessionId }) as PlacementOffer);
  const listOffers = async (_namespace: string, after: string, limit: number) =>
    all.filter(({ sessionId }) => sessionId > after).slice(0, limit);
  expect(await readOffers({ listOffers }, 'default')).toEqual(all);
});
