/**
 * UUIDs in their two forms, canonical text and sixteen bytes, and version 7, which carries its time. Every job passes
 * through here, so speed matters.
 */

const invalid = 0x80;
const nibbles = nibbleTable();
/** Character codes of the two hex digits of each byte. */
const digits = Uint8Array.from({ length: 512 }, (_, i) =>
  (i % 2 === 0 ? i >> 5 : (i >> 1) & 0x0f).toString(16).charCodeAt(0),
);
const DASH = 45;
/** Offset of each byte's two digits in the canonical text. */
const digitOffsets = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);

function nibbleTable(): Uint8Array {
  const table = new Uint8Array(128).fill(invalid);
  for (let value = 0; value < 16; value++) {
    const digit = value.toString(16);
    table[digit.charCodeAt(0)] = value;
    table[digit.toUpperCase().charCodeAt(0)] = value;
  }
  return table;
}

/**
 * Writes the 16 bytes of a UUID into `target`, starting at `offset`. The dashes are not checked.
 *
 * @throws RangeError if the text does not have the length of a UUID or contains an invalid digit.
 */
export function writeUuid(text: string, target: Uint8Array, offset: number): void {
  let seen = text.length === 36 ? 0 : invalid;
  for (let index = 0; index < 16; index++) {
    const at = digitOffsets[index] as number;
    const high = nibbles[text.charCodeAt(at)] ?? invalid;
    const low = nibbles[text.charCodeAt(at + 1)] ?? invalid;
    seen |= high | low;
    target[offset + index] = (high << 4) | low;
  }
  if (seen & invalid) throw new RangeError('not a UUID in canonical text');
}

/**
 * The 16 bytes of a UUID. The dashes are not checked.
 *
 * @throws RangeError if the text does not have the length of a UUID or contains an invalid digit.
 */
export function uuidToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  writeUuid(text, bytes, 0);
  return bytes;
}

/** Canonical text of the 16 bytes that begin at `offset`. */
export function uuidFromBytes(bytes: Uint8Array, offset = 0): string {
  const a = (index: number) => digits[2 * (bytes[offset + index] as number)] as number;
  const b = (index: number) => digits[2 * (bytes[offset + index] as number) + 1] as number;
  // One flat string at once: concatenation takes twice as long and leaves six times as much garbage.
  // biome-ignore format: as the text is laid out
  return String.fromCharCode(
    a(0), b(0), a(1), b(1), a(2), b(2), a(3), b(3), DASH, a(4), b(4), a(5), b(5), DASH, a(6), b(6), a(7), b(7), DASH,
    a(8), b(8), a(9), b(9), DASH, a(10), b(10), a(11), b(11), a(12), b(12), a(13), b(13), a(14), b(14), a(15), b(15),
  );
}

/**
 * Writes the digits of the canonical text of 16 bytes into `target`, starting at `at`; the dashes must already be
 * there.
 */
export function writeUuidDigits(bytes: Uint8Array, offset: number, target: Uint8Array, at: number): void {
  for (let index = 0; index < 16; index++) {
    const place = at + (digitOffsets[index] as number);
    const digit = 2 * (bytes[offset + index] as number);
    target[place] = digits[digit] as number;
    target[place + 1] = digits[digit + 1] as number;
  }
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return uuidForm.test(text);
}

/** A version 7 UUID: milliseconds since 1970, then 12 bits of counter, then the 62 low bits of `random`. */
export function uuid7(ms: number, counter: number, random: Uint8Array): string {
  const bytes = random.slice(0, 16);
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(ms / 256 ** (5 - i)) % 256;
  bytes[6] = 0x70 | (counter >> 8);
  bytes[7] = counter & 0xff;
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  return uuidFromBytes(bytes);
}

/** A lower bound: at or below every version 7 UUID of `ms` and later, above all earlier ones. */
export function lowestUuid(ms: number): string {
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}

/** Milliseconds since 1970 that a version 7 UUID carries. */
export function uuid7Ms(text: string): number {
  return Number.parseInt(text.slice(0, 8) + text.slice(9, 13), 16);
}
