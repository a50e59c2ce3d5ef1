/** PostgreSQL's text form of arrays, built here because it is the one form that both drivers pass on unchanged. */

/** Integers, UUIDs and booleans: no element can need quotes. */
export function plainArray(items: readonly (string | number | boolean | null | undefined)[]): string {
  let text = '{';
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ',';
    text += items[i] ?? 'NULL';
  }
  return `${text}}`;
}

const needsEscape = /["\\]/g;

/** Free text, quoted. */
export function textArray(items: readonly (string | null | undefined)[]): string {
  let text = '{';
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ',';
    const item = items[i];
    text += item === null || item === undefined ? 'NULL' : `"${item.replace(needsEscape, '\\$&')}"`;
  }
  return `${text}}`;
}

export interface Slices {
  /** All items, one after the other. */
  readonly bytes: Uint8Array;
  /** Text form of int[]: where each item begins, counted from 1, as substring() wants it. */
  readonly starts: string;
  /** Text form of int[]: how long each item is; NULL for one that is not there. */
  readonly lengths: string;
}

/**
 * Many byte strings as one parameter and two arrays of places: `substring($n FROM start FOR length)` cuts them out
 * again. A bytea[] would travel as hexadecimal text, twice as long and slow to build and parse.
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
  return { bytes, starts: plainArray(starts), lengths: plainArray(lengths) };
}
