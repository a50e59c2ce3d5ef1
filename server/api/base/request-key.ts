/** The key that recognizes a repeat of a call. */
import { createHash } from 'node:crypto';
import type { RequestKey } from '../../engine/ports/store.ts';

/**
 * `body` must be equal for each repeat; the bytes of the call are, if its messages have no maps. An empty id gives no
 * key.
 */
export function requestKey(method: string, requestId: string, body: Uint8Array): RequestKey | undefined {
  if (requestId === '') return undefined;
  return { requestId, bodyHash: createHash('sha256').update(method).update('\0').update(body).digest() };
}
