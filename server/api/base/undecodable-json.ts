/** Refusals of JSON that cannot be decoded. The decoder names a message at best; they name the field by its path. */
import { type DescField, type DescMessage, fromJson, type JsonValue, ScalarType } from '@bufbuild/protobuf';
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { nearName } from '../../domain/base/near-name.ts';
import { spanToMs } from '../../domain/base/quantities.ts';
import { cutText } from './cut-text.ts';
import type { ApiError } from './status.ts';
import { undecodable } from './undecodable.ts';
import { InvalidRequest, type Violation } from './violations.ts';

const MAX_FIELD = 128;
const MAX_DESCRIPTION = 256;
const MAX_VALUE = 60;
/** Longer keys are like no name of a field. */
const MAX_NAME = 64;

/** The refusal of this JSON, which the decoder refused for `reason`. */
export function undecodableJson(desc: DescMessage, text: string, reason: string): ApiError | InvalidRequest {
  const found = fieldIn(desc, text);
  return found ? new InvalidRequest([found]) : undecodable(desc, reason);
}

function fieldIn(desc: DescMessage, text: string): Violation | undefined {
  try {
    return undecodableField(desc, JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The first field for which the decoder refuses the message; undefined if it refuses the message itself, or nothing. */
export function undecodableField(desc: DescMessage, json: unknown): Violation | undefined {
  const found = inMessage(desc, json, []);
  if (!found || found.path.length === 0) return undefined;
  const field = found.path.join('.').replaceAll('.[', '[');
  return { field: cutText(field, MAX_FIELD), description: cutText(found.problem, MAX_DESCRIPTION) };
}

/** Steps of a path are names of fields, and `[…]` for a part of a list or map. */
type Path = readonly string[];

interface Found {
  readonly path: Path;
  readonly problem: string;
}

function inMessage(desc: DescMessage, json: unknown, path: Path): Found | undefined {
  if (!isObject(json)) return { path, problem: `is ${shown(json)}; must be an object` };
  const seen: DescField[] = [];
  for (const [key, value] of Object.entries(json)) {
    const field = fieldsOf(desc).get(key);
    if (!field) return { path: [...path, key], problem: unknownKey(desc, key) };
    const here = [...path, field.name];
    const problem = asAnother(field, seen, value);
    const found = problem ? { path: here, problem } : inField(field, value, here);
    if (found) return found;
    seen.push(field);
  }
  return undefined;
}

const fieldsByKey = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

function fieldsOf(desc: DescMessage): ReadonlyMap<string, DescField> {
  const known = fieldsByKey.get(desc);
  if (known) return known;
  const fields = new Map(desc.fields.flatMap((field) => [field.name, field.jsonName].map((key) => [key, field])));
  fieldsByKey.set(desc, fields);
  return fields;
}

function unknownKey(desc: DescMessage, key: string): string {
  const names = desc.fields.map(({ jsonName }) => jsonName);
  const near = key.length <= MAX_NAME ? nearName(key, names) : undefined;
  return `is no field of ${desc.typeName}${near ? `; did you mean ${near}?` : ''}`;
}

/** Why the field may not follow those before it. */
function asAnother(field: DescField, seen: readonly DescField[], value: unknown): string | undefined {
  if (seen.includes(field)) return 'is set more than once';
  const other = value !== null && field.oneof && seen.find(({ oneof }) => oneof === field.oneof);
  return other ? `is set together with ${other.name}; one of them may be` : undefined;
}

function inField(field: DescField, value: unknown, path: Path): Found | undefined {
  if (value === null || (field.fieldKind !== 'list' && field.fieldKind !== 'map'))
    return inValue(field, value, value, path);
  if (field.fieldKind === 'list' && !Array.isArray(value))
    return { path, problem: `is ${shown(value)}; must be a list` };
  if (field.fieldKind === 'map' && !isObject(value)) return { path, problem: `is ${shown(value)}; must be an object` };
  for (const [key, part] of Object.entries(value as object)) {
    const isList = field.fieldKind === 'list';
    const step = `[${isList ? key : JSON.stringify(key)}]`;
    const found = inValue(field, part, isList ? [part] : { [key]: part }, [...path, step]);
    if (found) return found;
  }
  return undefined;
}

/** `json`: the field with nothing but this value. */
function inValue(field: DescField, value: unknown, json: unknown, path: Path): Found | undefined {
  const { message } = field;
  if (message && value !== null && !message.typeName.startsWith('google.protobuf.'))
    return inMessage(message, value, path);
  if (isGoodText(field, value)) return undefined;
  try {
    fromJson(field.parent, { [field.jsonName]: json as JsonValue });
    return undefined;
  } catch (error) {
    return { path, problem: `is ${shown(value)}; ${ruleOf(field, value, error as Error)}` };
  }
}

/** Most fields are texts: this spares the decoder. The keys of a map are left to it. */
function isGoodText({ fieldKind, scalar }: DescField, value: unknown): boolean {
  const isText = fieldKind !== 'map' && scalar === ScalarType.STRING && typeof value === 'string';
  return isText && value.isWellFormed();
}

function ruleOf({ enum: values, message }: DescField, value: unknown, { message: reason }: Error): string {
  if (values)
    return `must be one of ${values.values
      .filter(({ number }) => number !== 0)
      .map(({ name }) => name)
      .join(', ')}`;
  if (message?.typeName === TimestampSchema.typeName) return 'must be a time such as "2026-05-01T12:00:00Z"';
  if (message?.typeName === DurationSchema.typeName) {
    const ms = typeof value === 'string' ? spanToMs(value) : undefined;
    return `must be in seconds, such as "${(ms ?? 90_000) / 1_000}s"`;
  }
  return reason.replace(/^cannot decode (?:field|message) [\w.]+ from JSON(?:: )?/, '') || 'does not fit';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  return typeof value === 'string' ? JSON.stringify(cutText(value, MAX_VALUE)) : String(value);
}
