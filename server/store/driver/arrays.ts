/**
 * PostgreSQL's binary form of arrays. In text form the database takes four times as long to read a UUID and ten times
 * as long to read a time, and the hot statements receive lists of them. `pg` passes buffers on unchanged, to both
 * databases.
 */
import { writeUuid } from '../../domain/base/uuid.ts';

export type Element = string | number | boolean | Uint8Array | null | undefined;

/** Codes with which PostgreSQL itself would refuse the same values. */
const OUT_OF_RANGE = '22003';
const INVALID_TEXT = '22P02';

const TWO_32 = 2 ** 32;
/** From 1970 to 2000, where PostgreSQL's time begins. */
const EPOCH_US = 946_684_800_000_000;
/** Precedes JSON that is passed as `jsonb`. */
const JSONB_VERSION = '\x01';

const HEAD_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;

type Pack = (items: readonly Element[]) => Buffer;

/** Checks the range: a write to a view would truncate silently. */
function checked(item: number, beyond: number): number {
  if (Number.isInteger(item) && item >= -beyond && item < beyond) return item;
  throw Object.assign(new Error('a number is out of range'), { code: OUT_OF_RANGE });
}

function writeInteger(view: DataView, at: number, size: number, item: number): void {
  if (size === 2) view.setInt16(at, checked(item, 2 ** 15));
  else if (size === 4) view.setInt32(at, checked(item, 2 ** 31));
  else {
    const high = Math.floor(checked(item, 2 ** 53) / TWO_32);
    view.setInt32(at, high);
    view.setUint32(at + 4, item - high * TWO_32);
  }
}

function writeId(bytes: Uint8Array, at: number, item: string): void {
  try {
    writeUuid(item, bytes, at);
  } catch (error) {
    throw Object.assign(error as Error, { code: INVALID_TEXT });
  }
}

/** An array of elements of `size` bytes each. The caller still has to write the bytes from the first element on. */
function fixedArray(oid: number, size: number, items: readonly Element[]): Buffer {
  let nulls = 0;
  for (let i = 0; i < items.length; i++) if (items[i] == null) nulls++;
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + LENGTH_BYTES * items.length + size * (items.length - nulls));
  writeHead(bytes, oid, items.length, nulls > 0);
  return bytes;
}

/** The header: number of dimensions, NULL flag, element type; length and lower bound of the one dimension. */
function writeHead(bytes: Buffer, oid: number, length: number, hasNulls: boolean): void {
  bytes.writeInt32BE(1, 0);
  bytes.writeInt32BE(hasNulls ? 1 : 0, 4);
  bytes.writeInt32BE(oid, 8);
  bytes.writeInt32BE(length, 12);
  bytes.writeInt32BE(1, 16);
}

const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

// The loops below are written out per element type: through a function per element, numbers would be allocated one by
// one, which is a seventh of all allocations of a busy replica.

function integers(oid: number, size: 2 | 4 | 8, zero = 0): Pack {
  return (items) => {
    const bytes = fixedArray(oid, size, items);
    const view = viewOf(bytes);
    for (let i = 0, at = HEAD_BYTES; i < items.length; i++) {
      const item = items[i];
      view.setInt32(at, item == null ? NULL_LENGTH : size);
      at += LENGTH_BYTES;
      if (item == null) continue;
      writeInteger(view, at, size, (item as number) - zero);
      at += size;
    }
    return bytes;
  };
}

function ids(oid: number): Pack {
  return (items) => {
    const bytes = fixedArray(oid, 16, items);
    const view = viewOf(bytes);
    for (let i = 0, at = HEAD_BYTES; i < items.length; i++) {
      const item = items[i];
      view.setInt32(at, item == null ? NULL_LENGTH : 16);
      at += LENGTH_BYTES;
      if (item == null) continue;
      writeId(bytes, at, item as string);
      at += 16;
    }
    return bytes;
  };
}

/** Elements that are encoded to bytes first. Equal elements in succession, such as content types, are encoded once. */
function encoded(oid: number, encode: (item: never) => Uint8Array): Pack {
  return (items) => {
    let last: Element = null;
    let made: Uint8Array | null = null;
    const parts = items.map((item) => {
      if (item !== last) {
        last = item;
        made = item == null ? null : encode(item as never);
      }
      return made;
    });
    const total = parts.reduce((sum, part) => sum + LENGTH_BYTES + (part?.length ?? 0), HEAD_BYTES);
    const bytes = Buffer.allocUnsafe(total);
    writeHead(bytes, oid, parts.length, parts.includes(null));
    let at = HEAD_BYTES;
    for (const part of parts) {
      at = bytes.writeInt32BE(part?.length ?? NULL_LENGTH, at);
      if (!part) continue;
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  };
}

function eightBytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

const packs: Readonly<Record<string, Pack>> = {
  boolean: encoded(16, (item: boolean) => Uint8Array.of(item ? 1 : 0)),
  bytea: encoded(17, (item: Uint8Array) => item),
  bigint: integers(20, 8),
  smallint: integers(21, 2),
  int: integers(23, 4),
  text: encoded(25, (item: string) => Buffer.from(item)),
  'double precision': encoded(701, eightBytes),
  timestamptz: integers(1184, 8, EPOCH_US),
  uuid: ids(2950),
  jsonb: encoded(3802, (item: string) => Buffer.from(JSONB_VERSION + item)),
};

/** `items` as an array of the type that a cast names. Times are microseconds since 1970. */
export function binaryArray(type: string, items: readonly Element[]): Buffer {
  const pack = packs[type];
  if (!pack) throw new Error(`there is no binary form of ${type}[]`);
  return pack(items);
}

export interface Slices {
  /** All items, concatenated. */
  readonly bytes: Uint8Array;
  /** Start of each item, counted from 1, as substring() needs it. */
  readonly starts: readonly number[];
  /** Length of each item; null for a missing one. */
  readonly lengths: readonly (number | null)[];
}

/**
 * Many byte strings as one parameter and two arrays of positions: `substring($n FROM start FOR length)` cuts them out
 * again, which costs less than to read a bytea[] and copy each of its elements.
 */
export function byteSlices(items: readonly (Uint8Array | null | undefined)[]): Slices {
  let total = 0;
  for (const item of items) total += item?.length ?? 0;
  const bytes = new Uint8Array(total);
  const starts: number[] = [];
  const lengths: (number | null)[] = [];
  let at = 0;
  for (const item of items) {
    starts.push(at + 1);
    lengths.push(item?.length ?? null);
    if (!item) continue;
    bytes.set(item, at);
    at += item.length;
  }
  return { bytes, starts, lengths };
}
