/**
 * Whether values of one schema can be values of another one. Told is what is certain: a type that never fits, of the whole or of
 * a property that has to be there. Of lists the items count, although an empty list would fit.
 */
import { commonTypes, itemsOf, type PlainSchema, propertyOf, requiredOf, type Types, typesOf } from './schema-facts.ts';

/** `at`: the path below both, such as `.lines[].n`. */
export type Misfit =
  | { readonly kind: 'TYPE'; readonly at: string; readonly given: Types; readonly wanted: Types }
  /** It is required, and there can be none. */
  | { readonly kind: 'LACKS'; readonly at: string; readonly name: string }
  /** It is always given, and may not be there. */
  | { readonly kind: 'NO_PLACE'; readonly at: string; readonly name: string };

interface Pair {
  readonly given: PlainSchema;
  readonly wanted: PlainSchema;
  readonly at: string;
  readonly depth: number;
}

const MAX_DEPTH = 50;

/** The outermost one. */
export function misfitOf(given: PlainSchema, wanted: PlainSchema): Misfit | undefined {
  const pairs: Pair[] = [{ given, wanted, at: '', depth: 0 }];
  for (const pair of pairs) {
    const misfit = misfitAt(pair, pairs);
    if (misfit) return misfit;
  }
  return undefined;
}

function misfitAt(pair: Pair, pairs: Pair[]): Misfit | undefined {
  const { given, wanted, at, depth } = pair;
  const types = commonTypes(typesOf(given), typesOf(wanted));
  if (types?.size === 0) return { kind: 'TYPE', at, given: typesOf(given) as Types, wanted: typesOf(wanted) as Types };
  // What may be of another type as well is not bound by what is said of objects, or of lists.
  if (types?.size !== 1 || depth === MAX_DEPTH) return undefined;
  if (types.has('object')) return misfitAtProperties(pair, pairs);
  if (types.has('array')) push(pairs, pair, itemsOf(given), itemsOf(wanted), '[]');
  return undefined;
}

/** Of those that one of the two requires: others may be left out. */
function misfitAtProperties(pair: Pair, pairs: Pair[]): Misfit | undefined {
  const { given, wanted, at } = pair;
  const required = requiredOf(wanted);
  for (const name of new Set([...required, ...requiredOf(given)])) {
    const inGiven = propertyOf(given, name);
    const inWanted = propertyOf(wanted, name);
    if (inGiven === 'impossible') {
      if (required.includes(name)) return { kind: 'LACKS', at, name };
    } else if (inWanted === 'impossible') return { kind: 'NO_PLACE', at, name };
    else push(pairs, pair, inGiven.schema, inWanted.schema, `.${name}`);
  }
  return undefined;
}

function push(
  pairs: Pair[],
  { at, depth }: Pair,
  given: PlainSchema | undefined,
  wanted: PlainSchema | undefined,
  below: string,
): void {
  if (given && wanted) pairs.push({ given, wanted, at: `${at}${below}`, depth: depth + 1 });
}

/** As the end of a sentence. `given`, `wanted`: what the two values are called. */
export function misfitText(misfit: Misfit, given: string, wanted: string): string {
  const { at } = misfit;
  switch (misfit.kind) {
    case 'TYPE':
      return `${given}${at} is ${orOf(misfit.given)}, ${wanted}${at} takes ${orOf(misfit.wanted)}`;
    case 'LACKS':
      return `${given}${at} has no ${misfit.name}, ${wanted}${at} requires it`;
    case 'NO_PLACE':
      return `${given}${at} always has ${misfit.name}, ${wanted}${at} has no place for it`;
  }
}

export function orOf(types: Types): string {
  return [...types].join(' or ');
}
