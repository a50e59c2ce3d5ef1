/**
 * JSON values as CEL sees them, converted only as far as an expression reads them: a fan-out reads the same input for
 * each of its items. The library's own conversion copies each object whole on each access, and misreads
 * `{ "constructor": … }`.
 */
import { type CelInput, type CelValue, celList, celMap } from '@bufbuild/cel';
import { spend } from './cel-cost.ts';

type Found = CelValue | undefined;

const STEPS_PER_NAME = 4;

/** An object of JSON. A property that is null counts as missing for `has` and `in`. */
export class JsonMap {
  readonly json: Readonly<Record<string, unknown>>;

  constructor(json: Readonly<Record<string, unknown>>) {
    this.json = json;
  }

  get size(): number {
    return this.#names().length;
  }

  get(key: unknown): Found {
    const value = typeof key === 'string' && Object.hasOwn(this.json, key) ? this.json[key] : undefined;
    return value === undefined ? undefined : (asCel(value) as CelValue);
  }

  has(key: unknown): boolean {
    return (this.get(key) ?? null) !== null;
  }

  keys(): ArrayIterator<string> {
    return this.#names().values();
  }

  *entries(): Generator<[string, Found]> {
    for (const name of this.#names()) yield [name, this.get(name)];
  }

  *values(): Generator<Found> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): Generator<[string, Found]> {
    return this.entries();
  }

  forEach(each: (value: Found, key: string, map: this) => void): void {
    for (const [key, value] of this.entries()) each(value, key, this);
  }

  #names(): string[] {
    // Before and after: it takes longer the more names there are, and their number is not known before.
    spend(1);
    const names = Object.keys(this.json);
    spend(STEPS_PER_NAME * names.length);
    return names;
  }
}

/** A list of JSON. */
export class JsonList {
  readonly json: readonly unknown[];

  constructor(json: readonly unknown[]) {
    this.json = json;
  }

  get size(): number {
    return this.json.length;
  }

  get(index: number): Found {
    return index >= 0 && index < this.json.length ? (asCel(this.json[index]) as CelValue) : undefined;
  }

  *values(): Generator<Found> {
    for (let i = 0; i < this.json.length; i++) yield this.get(i);
  }

  [Symbol.iterator](): Generator<Found> {
    return this.values();
  }
}

/** The library knows its maps and lists by a symbol. */
function markLike(view: { readonly prototype: object }, sample: object): void {
  for (const symbol of Object.getOwnPropertySymbols(sample))
    Object.defineProperty(view.prototype, symbol, { value: true });
}

markLike(JsonMap, celMap(new Map()));
markLike(JsonList, celList([]));

/** Undefined stands for null. */
export function asCel(value: unknown): CelInput {
  if (typeof value !== 'object' || value === null) return (value ?? null) as CelInput;
  const view = Array.isArray(value) ? new JsonList(value) : new JsonMap(value as Readonly<Record<string, unknown>>);
  return view as unknown as CelInput;
}
