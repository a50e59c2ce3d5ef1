/** Conversion between JSON values and CEL values. */
import { type CelInput, type CelValue, isCelList, isCelMap, isCelType, isCelUint } from '@bufbuild/cel';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Approximate maximum size of a result, in characters: a payload has at most 512 KiB, a list for a fan-out may have
 * more.
 */
const MAX_SIZE = 8 << 20;
const MAX_DEPTH = 500;

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * An object, converted only as far as an expression reads it. A Map, since CEL would misread `{ "constructor": … }`;
 * not a copy, since a fan-out reads the same input for each of its items.
 */
class ObjectView extends Map<string, CelInput> {
  readonly #object: JsonObject;

  constructor(object: JsonObject) {
    super();
    this.#object = object;
  }

  override get size(): number {
    return Object.keys(this.#object).length;
  }

  override get(key: string): CelInput | undefined {
    const value = Object.hasOwn(this.#object, key) ? this.#object[key] : undefined;
    return value === undefined ? undefined : asCel(value);
  }

  override has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  override keys(): MapIterator<string> {
    return Object.keys(this.#object).values();
  }

  override *entries(): MapIterator<[string, CelInput]> {
    for (const [key, value] of Object.entries(this.#object)) yield [key, asCel(value)];
  }

  override *values(): MapIterator<CelInput> {
    for (const [, value] of this.entries()) yield value;
  }

  override [Symbol.iterator](): MapIterator<[string, CelInput]> {
    return this.entries();
  }

  override forEach(each: (value: CelInput, key: string, map: Map<string, CelInput>) => void): void {
    for (const [key, value] of this.entries()) each(value, key, this);
  }
}

/** Each list is converted once. */
const lists = new WeakMap<readonly unknown[], CelInput[]>();

/** Undefined stands for null. */
export function asCel(value: unknown): CelInput {
  if (typeof value !== 'object' || value === null) return (value ?? null) as CelInput;
  if (!Array.isArray(value)) return new ObjectView(value as JsonObject) as CelInput;
  const known = lists.get(value);
  if (known) return known;
  const list = value.map(asCel);
  lists.set(value, list);
  return list;
}

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
  space.left -= typeof value === 'string' ? value.length : 8;
  if (space.left < 0) throw new NotJson(`its value is larger than ${MAX_SIZE >> 20} MiB`);
  if (depth > MAX_DEPTH) throw new NotJson(`its value is nested more than ${MAX_DEPTH} times`);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return finite(value);
  if (typeof value === 'bigint') return whole(value);
  if (isCelUint(value)) return whole(value.value);
  if (isCelList(value)) return Array.from(value, (item) => converted(item, depth + 1, space));
  if (isCelMap(value)) return object(value, depth, space);
  throw new NotJson(`its value has ${kindOf(value)}, which JSON can't represent`);
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
