/** What makes a repeat of a call known again. */
import { createHash } from 'node:crypto';
import type { RequestKey } from '../../engine/ports/store.ts';

/** `body` must be the same for each repeat: the bytes of the call do where its messages have no maps. Empty id: none. */
export function requestKey(method: string, requestId: string, body: Uint8Array): RequestKey | undefined {
  if (requestId === '') return undefined;
  return { requestId, bodyHash: createHash('sha256').update(method).update('\0').update(body).digest() };
}
