/**
 * PostgreSQL's binary form of arrays: in its text form a UUID takes the database four times as long to read, a time ten
 * times, and lists of them are what the hot statements are given. `pg` passes buffers on as they are, to both databases.
 */

export type Element = string | number | boolean | Uint8Array | null | undefined;

/** How elements of a type are written: all in as many bytes, or each in its own length. */
type Codec = { readonly oid: number } & (
  | { readonly size: number; readonly write: (view: DataView, at: number, item: never) => void }
  | { readonly encode: (item: never) => Uint8Array }
);

/** Codes under which PostgreSQL itself would refuse the same. */
const OUT_OF_RANGE = '22003';
const INVALID_TEXT = '22P02';

const TWO_32 = 2 ** 32;

/** Writing to a view would cut it silently. */
function checked(item: number, beyond: number): number {
  if (Number.isInteger(item) && item >= -beyond && item < beyond) return item;
  throw Object.assign(new Error('a number is out of range'), { code: OUT_OF_RANGE });
}

function writeBigint(view: DataView, at: number, item: number): void {
  checked(item, 2 ** 53);
  const high = Math.floor(item / TWO_32);
  view.setInt32(at, high);
  view.setUint32(at + 4, item - high * TWO_32);
}

/** From 1970 to 2000, where PostgreSQL's time begins. */
const EPOCH_US = 946_684_800_000_000;

/** The value of each hexadecimal digit by its character; of others 255. */
const digitValues = new Uint8Array(128).fill(255);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  digitValues[digit.charCodeAt(0)] = value;
  digitValues[digit.toUpperCase().charCodeAt(0)] = value;
}

const digitAt = (text: string, at: number) => digitValues[text.charCodeAt(at)] ?? 255;

/** Where the digits of each byte of a UUID stand in its text. */
const digitPlaces = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

function writeUuid(view: DataView, at: number, item: string): void {
  let bad = item.length === 36 ? 0 : 255;
  for (let i = 0; i < 16; i++) {
    const place = digitPlaces[i] as number;
    const high = digitAt(item, place);
    const low = digitAt(item, place + 1);
    bad |= high | low;
    view.setUint8(at + i, (high << 4) | low);
  }
  if (bad > 15) throw Object.assign(new Error('not a UUID'), { code: INVALID_TEXT });
}

const utf8 = new TextEncoder();
/** Goes before JSON that is passed as `jsonb`. */
const JSONB_VERSION = '\x01';

const codecs: Readonly<Record<string, Codec>> = {
  boolean: { oid: 16, size: 1, write: (view, at, item: boolean) => view.setUint8(at, item ? 1 : 0) },
  bytea: { oid: 17, encode: (item: Uint8Array) => item },
  bigint: { oid: 20, size: 8, write: writeBigint },
  smallint: { oid: 21, size: 2, write: (view, at, item: number) => view.setInt16(at, checked(item, 2 ** 15)) },
  int: { oid: 23, size: 4, write: (view, at, item: number) => view.setInt32(at, checked(item, 2 ** 31)) },
  text: { oid: 25, encode: (item: string) => utf8.encode(item) },
  'double precision': { oid: 701, size: 8, write: (view, at, item: number) => view.setFloat64(at, item) },
  timestamptz: { oid: 1184, size: 8, write: (view, at, item: number) => writeBigint(view, at, item - EPOCH_US) },
  uuid: { oid: 2950, size: 16, write: writeUuid },
  jsonb: { oid: 3802, encode: (item: string) => utf8.encode(JSONB_VERSION + item) },
};

const HEAD_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;

/** `items` as an array of a type by the name that a cast gives it; times are microseconds since 1970. */
export function binaryArray(type: string, items: readonly Element[]): Buffer {
  const codec = codecs[type];
  if (!codec) throw new Error(`there is no binary form of ${type}[]`);
  const encoded = 'encode' in codec ? items.map((item) => (item == null ? null : codec.encode(item as never))) : items;
  const sizeOf = (item: Element) => (item == null ? 0 : 'size' in codec ? codec.size : (item as Uint8Array).length);
  const total = encoded.reduce<number>((sum, item) => sum + LENGTH_BYTES + sizeOf(item), HEAD_BYTES);
  const array = Buffer.allocUnsafe(total);
  const view = new DataView(array.buffer, array.byteOffset, total);
  writeHead(view, codec.oid, encoded);
  let at = HEAD_BYTES;
  for (const item of encoded) {
    const size = sizeOf(item);
    view.setInt32(at, item == null ? NULL_LENGTH : size);
    at += LENGTH_BYTES;
    if (item == null) continue;
    if ('size' in codec) codec.write(view, at, item as never);
    else array.set(item as Uint8Array, at);
    at += size;
  }
  return array;
}

/** Dimensions, whether there are NULLs, the type; length and lower bound of the one dimension. */
function writeHead(view: DataView, oid: number, items: readonly Element[]): void {
  view.setInt32(0, 1);
  view.setInt32(4, items.some((item) => item == null) ? 1 : 0);
  view.setInt32(8, oid);
  view.setInt32(12, items.length);
  view.setInt32(16, 1);
}

export interface Slices {
  /** All items, one after the other. */
  readonly bytes: Uint8Array;
  /** Where each item begins, counted from 1, as substring() wants it. */
  readonly starts: readonly number[];
  /** How long each item is; null for one that is not there. */
  readonly lengths: readonly (number | null)[];
}

/**
 * Many byte strings as one parameter and two arrays of places: `substring($n FROM start FOR length)` cuts them out again,
 * which costs less than to read a bytea[] and copy each of its elements.
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
