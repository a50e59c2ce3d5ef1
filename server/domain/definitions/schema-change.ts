/**
 * Whether every payload that fits one schema also fits another one. The check is sound but not complete: a yes is
 * proven; where no proof is found the answer is no.
 */
import type { PayloadSchema } from './definition.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** Keywords that refuse nothing; `format` is an annotation here. */
const notes = new Set([
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'format',
  '$id',
]);
/**
 * Keywords whose meaning depends on their siblings or on the rest of the document; they can't be compared one at a
 * time.
 */
const entangled = [
  '$ref',
  '$dynamicRef',
  '$recursiveRef',
  'if',
  'then',
  'else',
  'contains',
  'minContains',
  'maxContains',
  'prefixItems',
  'additionalItems',
  'unevaluatedProperties',
  'unevaluatedItems',
];
const lowerBounds = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']);
const upperBounds = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']);
/** Schemas nested deeper are not compared. */
const MAX_DEPTH = 32;

/** `wide` undefined: any payload is accepted. */
export function covers(wide: PayloadSchema | undefined, narrow: PayloadSchema | undefined): boolean {
  if (!wide) return true;
  if (!narrow) return false;
  if (wide.kind === 'protobuf' || narrow.kind === 'protobuf') return sameText(wide, narrow);
  if (wide.text === narrow.text) return true;
  const [one, other] = [parse(wide.text), parse(narrow.text)];
  if (one === undefined || other === undefined) return false;
  const [bare, otherBare] = [withoutNotes(one), withoutNotes(other)];
  if (sameText(bare, otherBare)) return true;
  if (dialectOf(one) !== dialectOf(other) || isEntangled(bare) || isEntangled(otherBare)) return false;
  return coversJson(bare, otherBare, 0);
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const own = (object: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;
const dialectOf = (schema: Json) => (isObject(schema) ? own(schema, '$schema') : undefined);
const namesOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

/** Equal as JSON, whatever the order of the keys. */
function sameText(one: Json | PayloadSchema, other: Json | PayloadSchema): boolean {
  const sorted = (_key: string, value: Json) =>
    isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
  return JSON.stringify(one, sorted) === JSON.stringify(other, sorted);
}

/**
 * Drops annotations where a schema is expected; below `properties` and similar keywords the keys are names, not
 * keywords.
 */
function withoutNotes(schema: Json, isNames = false): Json {
  if (!isObject(schema)) return schema;
  const kept = Object.entries(schema).filter(([key]) => isNames || !(notes.has(key) || key === '$schema'));
  return Object.fromEntries(kept.map(([key, value]) => [key, isNames ? withoutNotes(value) : bareKeyword(key, value)]));
}

function bareKeyword(key: string, value: Json): Json {
  if (key === 'properties' || key === 'patternProperties') return withoutNotes(value, true);
  return key === 'items' || key === 'additionalProperties' ? withoutNotes(value) : value;
}

function isEntangled(schema: Json): boolean {
  if (Array.isArray(schema)) return schema.some(isEntangled);
  if (!isObject(schema)) return false;
  return Object.entries(schema).some(([key, value]) => entangled.includes(key) || isEntangled(value));
}

function coversJson(wide: Json, narrow: Json, depth: number): boolean {
  if (wide === true || narrow === false) return true;
  if (!isObject(wide) || depth > MAX_DEPTH) return false;
  const given = narrow === true ? {} : narrow;
  return isObject(given) && Object.keys(wide).every((keyword) => isImplied(keyword, wide, given, depth));
}

/** Whether every value that fits `narrow` satisfies this one keyword of `wide`. */
function isImplied(keyword: string, wide: JsonObject, narrow: JsonObject, depth: number): boolean {
  const [asked, given] = [wide[keyword] as Json, own(narrow, keyword)];
  switch (keyword) {
    case 'type':
      return given !== undefined && listOf(given).every((type) => allows(listOf(asked), type));
    case 'enum':
    case 'const':
      return isWithin(keyword === 'enum' ? listOf(asked) : [asked], narrow);
    case 'required':
      return listOf(asked).every((name) => listOf(given ?? []).includes(name));
    case 'properties':
      return Object.entries(namesOf(asked)).every(([name, schema]) =>
        coversJson(schema, propertyOf(narrow, name), depth + 1),
      );
    case 'additionalProperties':
      return coversRest(wide, narrow, depth);
    case 'items':
      return !Array.isArray(asked) && !Array.isArray(given) && coversJson(asked, given ?? true, depth + 1);
    default:
      if (typeof asked === 'number' && typeof given === 'number') {
        if (lowerBounds.has(keyword)) return given >= asked;
        if (upperBounds.has(keyword)) return given <= asked;
      }
      return given !== undefined && sameText(asked, given);
  }
}

function listOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [value as Json];
}

function allows(types: readonly Json[], type: Json): boolean {
  return types.includes(type) || (type === 'integer' && types.includes('number'));
}

function isWithin(values: readonly Json[], narrow: JsonObject): boolean {
  const only = Object.hasOwn(narrow, 'const') ? [narrow.const as Json] : own(narrow, 'enum');
  return Array.isArray(only) && only.every((value) => values.some((one) => sameText(one, value)));
}

/**
 * The schema that `narrow` sets for a property; false: the property can't be present. Patterns may restrict it further,
 * which only makes it narrower.
 */
function propertyOf(narrow: JsonObject, name: string): Json {
  const named = own(namesOf(own(narrow, 'properties')), name);
  if (named !== undefined) return named;
  return Object.hasOwn(narrow, 'patternProperties') ? true : (own(narrow, 'additionalProperties') ?? true);
}

/** Compares the properties that `wide` does not name. */
function coversRest(wide: JsonObject, narrow: JsonObject, depth: number): boolean {
  if (Object.hasOwn(wide, 'patternProperties') || Object.hasOwn(narrow, 'patternProperties')) return false;
  const rest = wide.additionalProperties as Json;
  const named = namesOf(own(wide, 'properties'));
  const others = Object.entries(namesOf(own(narrow, 'properties'))).filter(([name]) => !Object.hasOwn(named, name));
  return (
    others.every(([, schema]) => coversJson(rest, schema, depth + 1)) &&
    coversJson(rest, own(narrow, 'additionalProperties') ?? true, depth + 1)
  );
}
