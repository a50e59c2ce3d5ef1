/**
 * User-written messages of the contract: the proto3 JSON form, plus spans such as `5m`, names of enums without their
 * prefix, schemas as objects, and payloads as `json: …`. Invalid fields are refused with their path.
 */
import type { DescEnum, DescField, DescMessage, JsonObject, JsonValue, MessageShape } from '@bufbuild/protobuf';
import { fromJson } from '@bufbuild/protobuf';
import { DurationSchema } from '@bufbuild/protobuf/wkt';
import { PayloadSchema } from '@muster-jobs/sdk/grpc';
import { nearName } from '../../domain/base/near-name.ts';
import { spanToMs } from '../../domain/base/quantities.ts';

export interface Problem {
  /** Path of the field, such as `retryPolicy.maxAttempts`; empty for the document itself. */
  readonly field: string;
  readonly description: string;
}

export type Decoded<D extends DescMessage> = { readonly message: MessageShape<D> } | { readonly problems: Problem[] };

export function decodeDocument<D extends DescMessage>(schema: D, value: unknown): Decoded<D> {
  const problems: Problem[] = [];
  const json = readMessage(schema, value, '', problems);
  if (problems.length > 0) return { problems };
  try {
    return { message: fromJson(schema, json) };
  } catch (error) {
    return { problems: [{ field: '', description: reasonOf(error) }] };
  }
}

function readMessage(schema: DescMessage, given: unknown, path: string, problems: Problem[]): JsonObject {
  const value = schema.typeName === PayloadSchema.typeName ? spelledPayload(given) : given;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push({ field: path, description: `must be a mapping of fields, not ${kindOf(value)}` });
    return {};
  }
  const json: JsonObject = {};
  for (const [key, part] of Object.entries(value)) {
    const field = schema.fields.find(({ name, jsonName }) => key === name || key === jsonName);
    const at = path === '' ? key : `${path}.${key}`;
    if (field === undefined) problems.push({ field: at, description: unknownField(schema, key) });
    else if (field.jsonName in json) problems.push({ field: at, description: 'is given twice, in two spellings' });
    else if (part !== null) json[field.jsonName] = readField(schema, field, part, at, problems);
  }
  return json;
}

function readField(
  schema: DescMessage,
  field: DescField,
  value: unknown,
  path: string,
  problems: Problem[],
): JsonValue {
  const nested = nestedOf(field);
  if (nested !== undefined && field.fieldKind === 'message') return readMessage(nested, value, path, problems);
  if (nested !== undefined && field.fieldKind === 'list' && Array.isArray(value))
    return value.map((one, at) => readMessage(nested, one, `${path}[${at}]`, problems));
  const json = Array.isArray(value) ? value.map((one) => spelled(field, one)) : spelled(field, value);
  try {
    fromJson(schema, { [field.jsonName]: json });
  } catch (error) {
    problems.push({ field: path, description: reasonOf(error) });
  }
  return json;
}

/** A payload of JSON may be written directly instead of as bytes in base64. */
function spelledPayload(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('json' in value)) return value;
  const { json, ...rest } = value;
  return { contentType: 'application/json', ...rest, data: Buffer.from(JSON.stringify(json)).toString('base64') };
}

/** The message type of a field if it is one of the contract's own: other messages are written as values. */
function nestedOf(field: DescField): DescMessage | undefined {
  return field.message?.typeName.startsWith('muster.') ? field.message : undefined;
}

/** Converts the short forms to the proto3 JSON form. */
function spelled(field: DescField, value: unknown): JsonValue {
  if (field.message?.typeName === DurationSchema.typeName && typeof value === 'string') return durationJson(value);
  if (field.enum !== undefined && typeof value === 'string') return enumJson(field.enum, value);
  // A schema may be written directly, not as JSON text inside a YAML text.
  if (field.name.endsWith('_json_schema') && typeof value === 'object') return JSON.stringify(value);
  return value as JsonValue;
}

function durationJson(text: string): string {
  const ms = spanToMs(text);
  return ms === undefined ? text : `${ms / 1_000}s`;
}

function enumJson({ values }: DescEnum, text: string): string {
  const wanted = text.toUpperCase().replaceAll('-', '_');
  return values.find(({ localName }) => localName === wanted)?.name ?? text;
}

function unknownField(schema: DescMessage, key: string): string {
  const names = schema.fields.map(({ jsonName }) => jsonName);
  const near = nearName(key, names);
  if (near !== undefined) return `is no field; did you mean ${near}?`;
  return `is no field; there are ${names.sort().join(', ')}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

/** The library's reason, without its text around it. */
function reasonOf(error: unknown): string {
  const message = (error as Error).message.replace(/^cannot decode (?:field|message) [\w.]+ from JSON(?:: )?/, '');
  return message.replace(/^cannot decode (?:field|message) [\w.]+ from JSON(?:: )?/, '') || 'does not fit';
}
