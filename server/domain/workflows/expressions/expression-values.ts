/** Conversion of CEL values to JSON. */
import { type CelValue, isCelList, isCelMap, isCelType, isCelUint } from '@bufbuild/cel';
import { spendText } from '../../base/cel-cost.ts';
import { JsonList, JsonMap } from '../../base/cel-values.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Approximate maximum size of a result, in characters: a payload has at most 512 KiB, a list for a fan-out may have
 * more.
 */
const MAX_SIZE = 8 << 20;
const MAX_DEPTH = 500;

class NotJson extends Error {}

/** The value, or the problem as the end of a sentence. */
export function asJson(value: CelValue): { readonly value: Json } | { readonly problem: string } {
  try {
    return { value: converted(value, 0, { left: MAX_SIZE }) };
  } catch (error) {
    if (error instanceof NotJson) return { problem: error.message };
    throw error;
  }
}

function converted(value: CelValue, depth: number, space: { left: number }): Json {
  if (value instanceof JsonMap || value instanceof JsonList) {
    take(value.json, depth, space);
    return value.json as Json;
  }
  takeOne(value, depth, space);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return finite(value);
  if (typeof value === 'bigint') return whole(value);
  if (isCelUint(value)) return whole(value.value);
  if (isCelList(value)) return Array.from(value, (item) => converted(item, depth + 1, space));
  if (isCelMap(value)) return object(value, depth, space);
  throw new NotJson(`its value has ${kindOf(value)}, which JSON can't represent`);
}

/** Counts a value that is JSON already, with everything in it. */
function take(value: unknown, depth: number, space: { left: number }): void {
  takeOne(value, depth, space);
  if (Array.isArray(value)) for (const item of value) take(item, depth + 1, space);
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) {
      space.left -= key.length;
      take(item, depth + 1, space);
    }
}

function takeOne(value: unknown, depth: number, space: { left: number }): void {
  spendText(typeof value === 'string' ? value.length : 0);
  space.left -= typeof value === 'string' ? value.length : 8;
  if (space.left < 0) throw new NotJson(`its value is larger than ${MAX_SIZE >> 20} MiB`);
  if (depth > MAX_DEPTH) throw new NotJson(`its value is nested more than ${MAX_DEPTH} times`);
}

function object(map: CelValue & Iterable<unknown>, depth: number, space: { left: number }): Json {
  const entries: [string, Json][] = [];
  for (const [key, value] of map as Iterable<[unknown, CelValue]>) {
    if (typeof key !== 'string') throw new NotJson(`its value has the key ${String(key)}; keys of JSON are strings`);
    space.left -= key.length;
    entries.push([key, converted(value, depth + 1, space)]);
  }
  return Object.fromEntries(entries);
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new NotJson(`its value has ${value}, which is not a JSON number`);
}

function whole(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new NotJson(`its value has ${value}, which a JSON number can't hold exactly`);
}

function kindOf(value: CelValue): string {
  if (value instanceof Uint8Array) return 'bytes';
  return isCelType(value) ? 'a type' : 'a time, a span or a message';
}
