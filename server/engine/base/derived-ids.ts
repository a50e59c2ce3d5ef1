/** Ids that follow from what they are for, so that whoever makes one, and how often, it is the same. */
import { createHash } from 'node:crypto';
import { uuidFromBytes } from '../../domain/base/uuid.ts';

export function hashOf(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}

/** A UUID of version 8, whose bits are the program's own. */
export function derivedUuid(text: string): string {
  const bytes = hashOf(text).subarray(0, 16);
  bytes[6] = 0x80 | ((bytes[6] as number) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  return uuidFromBytes(bytes);
}
