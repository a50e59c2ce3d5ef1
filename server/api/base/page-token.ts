/** Page tokens: the position in a list, signed together with the list that it belongs to. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Violations } from './violations.ts';

const MAC_BYTES = 16;

/**
 * All replicas share the deployment's key, so each accepts the others' tokens, and nobody can forge one. `list`
 * contains everything that selects the list: the RPC, the namespace, the filter.
 */
export function pageToken(key: Uint8Array, list: readonly string[], position: string): string {
  return Buffer.concat([macOf(key, list, position), Buffer.from(position)]).toString('base64url');
}

/** The position in a token of the same list; undefined for the first page. `field` is the token's field. */
export function positionOf(
  token: string,
  key: Uint8Array,
  list: readonly string[],
  violations: Violations,
  field: 'page_token' | 'resume_token' = 'page_token',
): string | undefined {
  if (token === '') return undefined;
  const bytes = Buffer.from(token, 'base64url');
  const position = bytes.subarray(MAC_BYTES).toString();
  const expected = macOf(key, list, position);
  const given = Buffer.concat([bytes], MAC_BYTES);
  const good = timingSafeEqual(given, expected) && pageToken(key, list, position) === token;
  violations.check(
    good,
    field,
    `is not one that ${list[0]} returned for this request: repeat the request that gave it, with nothing but the token and page_size changed, or begin without a token`,
  );
  return good ? position : undefined;
}

function macOf(key: Uint8Array, list: readonly string[], position: string): Buffer {
  return createHmac('sha256', key)
    .update(JSON.stringify([...list, position]))
    .digest()
    .subarray(0, MAC_BYTES);
}
