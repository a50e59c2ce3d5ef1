/** What the open sessions of a namespace offer. */
import type { PlacementOffer } from '../../domain/explain/placement-reason.ts';
import { NO_ID, readPages } from '../base/pages.ts';
import type { Store } from '../ports/store.ts';

const PAGE = 1_000;

/** All of them: the only one that suits a job may be the last. */
export function readOffers(store: Pick<Store, 'listOffers'>, namespace: string): Promise<PlacementOffer[]> {
  return readPages(PAGE, (last) => store.listOffers(namespace, last?.sessionId ?? NO_ID, PAGE));
}
