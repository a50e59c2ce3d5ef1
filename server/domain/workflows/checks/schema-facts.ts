/** What a JSON Schema says for certain. What it says by way of references or choices is left alone: in doubt nothing is said. */
import type { PayloadSchema } from '../../definitions/definition.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** A schema without references beside which the rest may mean nothing. */
export type PlainSchema = JsonObject;
export type Types = ReadonlySet<string>;

/** What can be said of a property: a schema, nothing (undefined), or that there can be none. */
export type Property = { readonly schema: PlainSchema | undefined } | 'impossible';

const references = ['$ref', '$dynamicRef', '$recursiveRef'];

export function plain(value: unknown): PlainSchema | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return references.some((name) => Object.hasOwn(value, name)) ? undefined : (value as PlainSchema);
}

/** Undefined: nothing is known of it. */
export function plainSchema(schema: PayloadSchema | undefined): PlainSchema | undefined {
  if (schema?.kind !== 'json') return undefined;
  try {
    return plain(JSON.parse(schema.text));
  } catch {
    // It was refused where it was stored.
    return undefined;
  }
}

/** Undefined: any. */
export function typesOf(schema: PlainSchema | undefined): Types | undefined {
  const type = own(schema, 'type');
  if (typeof type === 'string') return new Set([type]);
  return Array.isArray(type) ? new Set(type) : undefined;
}

/** Whether a value of one of these types may be of one of those. */
export function mayFit(given: Types | undefined, wanted: Types | undefined): boolean {
  if (!given || !wanted) return true;
  const isNumber = (types: Types) => types.has('number') || types.has('integer');
  return [...given].some((type) => wanted.has(type)) || (isNumber(given) && isNumber(wanted));
}

/** Of a value that both hold for. Undefined: any. */
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

/** Of all items of a list. Undefined: nothing is known, as of those that are told one by one. */
export function itemsOf(schema: PlainSchema | undefined): PlainSchema | undefined {
  return own(schema, 'prefixItems') === undefined ? plain(own(schema, 'items')) : undefined;
}

/** Of what may be missing, and then is null. */
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
