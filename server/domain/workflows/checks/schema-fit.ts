/**
 * Whether values of one schema can be values of another one. Only certain misfits are reported: a type that never fits,
 * of the whole value or of a required property. For lists the items count, although an empty list would fit.
 */
import { commonTypes, itemsOf, type PlainSchema, propertyOf, requiredOf, type Types, typesOf } from './schema-facts.ts';

/** `at`: the path below both, such as `.lines[].n`. */
export type Misfit =
  | { readonly kind: 'TYPE'; readonly at: string; readonly given: Types; readonly wanted: Types }
  /** The wanted schema requires the property, and the given one forbids it. */
  | { readonly kind: 'LACKS'; readonly at: string; readonly name: string }
  /** The given schema requires the property, and the wanted one forbids it. */
  | { readonly kind: 'NO_PLACE'; readonly at: string; readonly name: string };

interface Pair {
  readonly given: PlainSchema;
  readonly wanted: PlainSchema;
  readonly at: string;
  readonly depth: number;
}

const MAX_DEPTH = 50;

/** The outermost misfit. */
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
  // If other types are possible, keywords for objects or lists need not apply.
  if (types?.size !== 1 || depth === MAX_DEPTH) return undefined;
  if (types.has('object')) return misfitAtProperties(pair, pairs);
  if (types.has('array')) push(pairs, pair, itemsOf(given), itemsOf(wanted), '[]');
  return undefined;
}

/** Compares properties that one of the two requires: others may be left out. */
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

/** Text as the end of a sentence. `given`, `wanted`: names of the two values. */
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
