/** Deterministic ids: the same input always yields the same id. */
import { createHash } from 'node:crypto';
import { uuidFromBytes } from '../../domain/base/uuid.ts';

export function hashOf(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}

/** A UUID of version 8: its bits are defined by the program. */
export function derivedUuid(text: string): string {
  const bytes = hashOf(text).subarray(0, 16);
  bytes[6] = 0x80 | ((bytes[6] as number) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  return uuidFromBytes(bytes);
}
