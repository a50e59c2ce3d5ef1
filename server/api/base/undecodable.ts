/** Refusals of requests that cannot be decoded: they name the message, the reason, and the text that is not UTF-8. */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { ApiError } from './status.ts';
import { InvalidRequest } from './violations.ts';

/** The refusal of a message of that type, with the decoder's reason. */
export function undecodable({ typeName }: DescMessage, reason: string): ApiError {
  return new ApiError('INVALID_FIELD', `${typeName} cannot be decoded: ${reason}`);
}

/** The refusal of these bytes, which the decoder refused for `reason`. */
export function undecodableBytes(desc: DescMessage, bytes: Uint8Array, reason: string): ApiError | InvalidRequest {
  const field = invalidTextIn(desc, bytes);
  if (!field) return undecodable(desc, reason);
  const description = `is not UTF-8, so ${desc.typeName} cannot be decoded: replace the invalid bytes`;
  return new InvalidRequest([{ field, description }]);
}

/** Path of the first text that is not UTF-8; undefined if there is none before the bytes end or make no sense. */
function invalidTextIn(desc: DescMessage, bytes: Uint8Array): string | undefined {
  try {
    return firstInvalidText(desc.fields, bytes, []);
  } catch {
    return undefined;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const MAX_DEPTH = 100;

function firstInvalidText(
  fields: readonly DescField[],
  bytes: Uint8Array,
  path: readonly string[],
): string | undefined {
  const reader = new BinaryReader(bytes);
  const counts = new Map<DescField, number>();
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = fields.find((candidate) => candidate.number === number);
    if (!field || wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, number);
      continue;
    }
    const value = reader.bytes();
    const index = counts.get(field) ?? 0;
    counts.set(field, index + 1);
    const here = [...path, field.fieldKind === 'list' ? `${field.name}[${index}]` : field.name];
    const invalid = invalidTextOf(field, value, here);
    if (invalid) return invalid;
  }
  return undefined;
}

function invalidTextOf(field: DescField, value: Uint8Array, path: readonly string[]): string | undefined {
  if (field.fieldKind === 'map') return invalidTextOfEntry(field, value, path);
  if (field.message && path.length < MAX_DEPTH) return firstInvalidText(field.message.fields, value, path);
  return field.scalar === ScalarType.STRING && !isUtf8(value) ? path.join('.') : undefined;
}

/** An entry of a map is a message with the key as field 1 and the value as field 2. */
function invalidTextOfEntry(
  field: DescField & { fieldKind: 'map' },
  value: Uint8Array,
  path: readonly string[],
): string | undefined {
  const reader = new BinaryReader(value);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, number);
      continue;
    }
    const bytes = reader.bytes();
    const [name, isText] = number === 1 ? ['key', true] : ['value', field.scalar === ScalarType.STRING];
    if (isText && !isUtf8(bytes)) return [...path, name].join('.');
    const inside = number === 2 && field.message && path.length < MAX_DEPTH;
    const invalid = inside ? firstInvalidText(field.message.fields, bytes, [...path, name]) : undefined;
    if (invalid) return invalid;
  }
  return undefined;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
