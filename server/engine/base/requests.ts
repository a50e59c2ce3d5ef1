/** Request ids of changes other than submissions: the first call is carried out, its repeats change nothing. */

import type { RequestKey, Store } from '../ports/store.ts';
import { EngineError } from './errors.ts';

export type Once<T> = { readonly repeated: false; readonly value: T } | { readonly repeated: true };

/**
 * Does `work` unless a call with this request id was carried out before. The id is taken in the same transaction, so a
 * failure of `work` leaves it unused. Without an id, `work` runs outside a transaction. Throws REQUEST_ID_REUSED.
 */
export async function once<K extends keyof Store, T>(
  store: Pick<Store, K | 'together'>,
  namespace: string,
  request: RequestKey | undefined,
  work: (store: Pick<Store, K>) => Promise<T>,
): Promise<Once<T>> {
  if (!request) return { repeated: false, value: await work(store) };
  return store.together(async (inner) => {
    const turn = await inner.takeRequestId(namespace, request);
    if (turn === 'reused') throw requestIdReused();
    return turn === 'repeat' ? { repeated: true } : { repeated: false, value: await work(inner) };
  });
}

export function requestIdReused(): EngineError {
  return new EngineError('REQUEST_ID_REUSED', 'request_id was used for another call; make a new one', {
    field: 'request_id',
  });
}
