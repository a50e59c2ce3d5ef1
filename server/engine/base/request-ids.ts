/** Takes request ids of changes other than submissions. */
import type { KeptPage, KeptRequest, RequestKey, Store } from '../ports/store.ts';

/** Runs first in the transaction of the change. */
export async function takeRequestId(
  tx: Store,
  namespace: string,
  request: RequestKey,
): Promise<'first' | 'repeat' | 'reused'> {
  const before = await take(tx, namespace, request, undefined);
  if (!before) return 'first';
  return isSame(before, request) ? 'repeat' : 'reused';
}

/**
 * Keeps the page of the first call with the id, and returns that page to its repeats. Needs no transaction around it.
 */
export async function keepPage(
  store: Store,
  namespace: string,
  request: RequestKey,
  page: KeptPage,
): Promise<KeptPage | 'reused'> {
  const before = await take(store, namespace, request, page);
  if (!before) return page;
  return isSame(before, request) ? before.page : 'reused';
}

/** The earlier call with the id. Undefined: this call is the first. */
async function take(
  store: Store,
  namespace: string,
  request: RequestKey,
  page: KeptPage | undefined,
): Promise<KeptRequest | undefined> {
  if (await store.insertRequestId(namespace, request, page)) return undefined;
  const before = await store.readRequestId(namespace, request.requestId);
  if (!before) throw requestIdGone();
  return before;
}

export function requestIdGone(): Error {
  return new Error('a request id can neither be taken nor found: it was deleted meanwhile; repeat the call');
}

function isSame(before: KeptRequest, { bodyHash }: RequestKey): boolean {
  return Buffer.compare(before.bodyHash, bodyHash) === 0;
}
