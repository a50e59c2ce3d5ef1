/** Refusals of requests that cannot be decoded: they name the message, the reason, and the text that is not UTF-8. */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { ApiError } from './status.ts';
import { InvalidRequest } from './violations.ts';

/** The refusal of a message of that type, with the decoder's reason. */
export function undecodable({ typeName }: DescMessage, reason: string): ApiError {
  return new ApiError('INVALID_FIELD', `${typeName} cannot be decoded: ${reason}`);
}

/** The refusal of a request whose compressed data is corrupt or cut off. */
export function undecompressable(): ApiError {
  return new ApiError('INVALID_FIELD', 'the request cannot be decompressed: its compressed data is corrupt or cut off');
}

/** Of a request or an answer. */
export const MAX_MESSAGE_BYTES = 4 << 20;

/** The refusal of a request that is larger than a message may be. */
export function tooLarge(): ApiError {
  return new ApiError(
    'REQUEST_TOO_LARGE',
    `the request has more than ${MAX_MESSAGE_BYTES >> 20} MiB: split it, or make it smaller`,
  );
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

/** Number and value of each field with a length: texts, bytes, messages and entries of maps. */
function* valuesIn(bytes: Uint8Array): Generator<[number: number, value: Uint8Array]> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited) yield [number, reader.bytes()];
    else reader.skip(wireType, number);
  }
}

function firstInvalidText(
  fields: readonly DescField[],
  bytes: Uint8Array,
  path: readonly string[],
): string | undefined {
  const counts = new Map<DescField, number>();
  for (const [number, value] of valuesIn(bytes)) {
    const field = fields.find((candidate) => candidate.number === number);
    if (!field) continue;
    const index = counts.get(field) ?? 0;
    counts.set(field, index + 1);
    const here = [...path, field.fieldKind === 'list' ? `${field.name}[${index}]` : field.name];
    const invalid = field.fieldKind === 'map' ? invalidEntry(field, value, here) : invalidValue(field, value, here);
    if (invalid) return invalid;
  }
  return undefined;
}

/** An entry of a map is a message with the key as field 1 and the value as field 2. */
function invalidEntry(field: DescField, entry: Uint8Array, path: readonly string[]): string | undefined {
  for (const [number, value] of valuesIn(entry)) {
    const isKey = number === 1;
    const invalid = isKey ? invalidText(value, [...path, 'key']) : invalidValue(field, value, [...path, 'value']);
    if (invalid) return invalid;
  }
  return undefined;
}

function invalidValue(field: DescField, value: Uint8Array, path: readonly string[]): string | undefined {
  if (field.message && path.length < MAX_DEPTH) return firstInvalidText(field.message.fields, value, path);
  return field.scalar === ScalarType.STRING ? invalidText(value, path) : undefined;
}

function invalidText(value: Uint8Array, path: readonly string[]): string | undefined {
  try {
    utf8.decode(value);
    return undefined;
  } catch {
    return path.join('.');
  }
}
