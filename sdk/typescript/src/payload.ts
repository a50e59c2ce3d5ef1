/** Converts user data to and from `Payload`: JSON by default, bytes unchanged. */
import type { Payload } from './gen/muster/v1/payload_pb.ts';

export const JSON_TYPE = 'application/json';
export const BYTES_TYPE = 'application/octet-stream';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Makes a payload with a content type of its own.
 *
 * @param data The bytes, at most 512 KiB.
 * @param contentType Media type, at most 128 characters.
 * @param metadata Facts about the bytes, at most 16 entries and 1 KiB in total.
 */
export function payload(data: Uint8Array, contentType: string, metadata: Record<string, string> = {}): Payload {
  return { $typeName: 'muster.v1.Payload', data, contentType, metadata };
}

export function isPayload(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && '$typeName' in value && value.$typeName === 'muster.v1.Payload';
}

/**
 * Encodes a value: `undefined` gives no payload, a `Uint8Array` application/octet-stream, a `Payload` itself, and any
 * other value JSON.
 *
 * @throws TypeError when the value can't be written as JSON.
 */
export function encodePayload(value: unknown): Payload | undefined {
  if (value === undefined) return undefined;
  if (value instanceof Uint8Array) return payload(value, BYTES_TYPE);
  if (isPayload(value)) return value;
  return payload(encoder.encode(jsonText(value)), JSON_TYPE);
}

/** @throws TypeError when the value can't be written as JSON. */
export function jsonText(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`a ${typeof value} can't be written as JSON`);
  return text;
}

/**
 * The reverse of `encodePayload`: parses JSON types, gives `undefined` for no payload, and the bytes for any other
 * type.
 *
 * @throws SyntaxError or TypeError when the bytes are not the JSON text that their type promises.
 */
export function decodePayload(from: Payload | undefined): unknown {
  if (from === undefined) return undefined;
  return decodeData(from.data, from.contentType);
}

/** `decodePayload` for bytes and a type that are not in a message. */
export function decodeData(data: Uint8Array, contentType: string): unknown {
  if (isJsonType(contentType)) return JSON.parse(decoder.decode(data));
  if (data.length === 0 && contentType === '') return undefined;
  return data;
}

function isJsonType(contentType: string): boolean {
  if (contentType === JSON_TYPE) return true;
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  return type === JSON_TYPE || type.endsWith('+json');
}
