/**
 * Facts that follow for certain from a JSON Schema. References and choices are ignored: in doubt nothing is concluded.
 */
import type { PayloadSchema } from '../../definitions/definition.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** A schema without references, next to which other keywords may be ignored. */
export type PlainSchema = JsonObject;
export type Types = ReadonlySet<string>;

/** What is known of a property: its schema, nothing (undefined), or that it can't be present. */
export type Property = { readonly schema: PlainSchema | undefined } | 'impossible';

const references = ['$ref', '$dynamicRef', '$recursiveRef'];

export function plain(value: unknown): PlainSchema | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return references.some((name) => Object.hasOwn(value, name)) ? undefined : (value as PlainSchema);
}

/** Undefined: nothing is known. */
export function plainSchema(schema: PayloadSchema | undefined): PlainSchema | undefined {
  if (schema?.kind !== 'json') return undefined;
  try {
    return plain(JSON.parse(schema.text));
  } catch {
    // It was refused when it was stored.
    return undefined;
  }
}

/** Undefined: any type. */
export function typesOf(schema: PlainSchema | undefined): Types | undefined {
  const type = own(schema, 'type');
  if (typeof type === 'string') return new Set([type]);
  return Array.isArray(type) ? new Set(type) : undefined;
}

/** Whether a value of one of the given types may be of one of the wanted types. */
export function mayFit(given: Types | undefined, wanted: Types | undefined): boolean {
  if (!given || !wanted) return true;
  const isNumber = (types: Types) => types.has('number') || types.has('integer');
  return [...given].some((type) => wanted.has(type)) || (isNumber(given) && isNumber(wanted));
}

/** Types of a value to which both apply. Undefined: any. */
export function commonTypes(one: Types | undefined, other: Types | undefined): Types | undefined {
  if (!one || !other) return one ?? other;
  const isIn = (type: string, types: Types) => types.has(type) || (type === 'integer' && types.has('number'));
  return new Set([...[...one].filter((type) => isIn(type, other)), ...[...other].filter((type) => isIn(type, one))]);
}

export function propertyOf(schema: PlainSchema | undefined, name: string): Property {
  if (!schema) return { schema: undefined };
  if (!mayFit(new Set(['object']), typesOf(schema))) return 'impossible';
  const properties = own(schema, 'properties') as JsonObject | undefined;
  if (properties && Object.hasOwn(properties, name)) return { schema: plain(properties[name]) };
  if (own(schema, 'patternProperties') !== undefined) return { schema: undefined };
  const others = own(schema, 'additionalProperties');
  return others === false ? 'impossible' : { schema: plain(others) };
}

/** Schema of all items of a list. Undefined: unknown, as for lists with `prefixItems`. */
export function itemsOf(schema: PlainSchema | undefined): PlainSchema | undefined {
  return own(schema, 'prefixItems') === undefined ? plain(own(schema, 'items')) : undefined;
}

/** Schema of a value that may be missing, and then is null. */
export function orNull(schema: PlainSchema): PlainSchema {
  const types = typesOf(schema);
  return types ? { ...schema, type: [...types, 'null'] } : schema;
}

export function propertiesOf(schema: PlainSchema): string[] {
  return Object.keys((own(schema, 'properties') as JsonObject | undefined) ?? {});
}

export function requiredOf(schema: PlainSchema): string[] {
  const required = own(schema, 'required');
  return Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];
}

function own(object: JsonObject | undefined, key: string): unknown {
  return object && Object.hasOwn(object, key) ? object[key] : undefined;
}
