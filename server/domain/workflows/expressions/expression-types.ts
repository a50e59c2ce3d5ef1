/** The type of an expression's value, as far as it is known before evaluation. */

import { itemsOf, type PlainSchema, propertyOf, type Types, typesOf } from '../checks/schema-facts.ts';
import type { Path } from './expression-paths.ts';
import type { Shape } from './expression-shape.ts';

/** Schemas of the values that expressions name. */
export interface Known {
  readonly input: PlainSchema | undefined;
  /** Output schema of a step; for a fan-out that of the list. */
  readonly outputOf: (step: string) => PlainSchema | undefined;
  /** Schema of a variable of the step's own, such as `item`. */
  readonly ownOf: (name: string) => PlainSchema | undefined;
}

/** A field that is left out is unknown. */
export interface InferredType {
  readonly schema?: PlainSchema | undefined;
  readonly types?: Types | undefined;
  /** Names of the path after which nothing can follow. */
  readonly endsAfter?: readonly string[];
}

const boolean: Types = new Set(['boolean']);
const string: Types = new Set(['string']);
const integer: Types = new Set(['integer']);
const aList: Types = new Set(['array']);
const anObject: Types = new Set(['object']);
const labels: PlainSchema = { type: 'object', additionalProperties: { type: 'string' } };

export function inferType(shape: Shape, known: Known): InferredType {
  switch (shape.kind) {
    case 'PATH':
      return shape.path.isTest ? { types: boolean } : inferPath(shape.path, known);
    case 'PART':
      return inferPart(shape.keys, known);
    case 'OBJECT':
      return { types: anObject };
    case 'LIST':
      return { types: aList };
    case 'OTHER':
      return { types: shape.types };
  }
}

export function inferPath({ parts }: Path, known: Known): InferredType {
  const [root, first = '', second] = parts;
  if (root === 'index' || root === 'iteration') return { types: integer };
  if (root === 'workflow' && first === 'job_id') return { types: string };
  if (root === 'steps' && second === 'state') return { types: string };
  const [schema, at] =
    root === 'workflow'
      ? [first === 'labels' ? labels : known.input, 2]
      : root === 'steps'
        ? [known.outputOf(first), 3]
        : [known.ownOf(root as string), 1];
  return below(schema, parts, at);
}

function below(schema: PlainSchema | undefined, parts: readonly string[], from: number): InferredType {
  let at = schema;
  for (const [i, name] of parts.slice(from).entries()) {
    const property = propertyOf(at, name);
    if (property === 'impossible') return { schema: at, endsAfter: parts.slice(0, from + i) };
    at = property.schema;
  }
  return { schema: at, types: typesOf(at) };
}

function inferPart(keys: readonly (string | undefined)[], known: Known): InferredType {
  const place = keys.indexOf(undefined);
  const names = (place < 0 ? keys : keys.slice(0, place)) as readonly string[];
  let { schema } = inferPath({ parts: names, isTest: false }, known);
  for (const key of keys.slice(names.length)) {
    const isList = [...(typesOf(schema) ?? [''])].every((type) => type === 'array' || type === 'null');
    const property = key === undefined ? { schema: isList ? itemsOf(schema) : undefined } : propertyOf(schema, key);
    if (property === 'impossible') return {};
    schema = property.schema;
  }
  return { schema, types: typesOf(schema) };
}
