// The part of protobuf's encoding that the worker protocol needs: reads and writes fields by number.

/** Up to 64 bits, seven per byte, lowest first. */
function varint(value) {
  const bytes = [];
  let rest = BigInt(value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

/** A field with a number, a boolean or an enum; 0 is omitted. */
export function number(field, value) {
  return value ? Buffer.concat([varint(field << 3), varint(value)]) : Buffer.alloc(0);
}

/** A field with bytes or text. */
export function bytes(field, data) {
  const content = Buffer.from(data);
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
}

/** A field with a message of these fields. */
export function nested(field, ...fields) {
  return bytes(field, Buffer.concat(fields));
}

/** Fields of a message by number, each a list: bigint for numbers, else bytes. */
export function read(message) {
  const fields = new Map();
  for (let at = 0; at < message.length; ) {
    const [tag, afterTag] = readVarint(message, at);
    const [value, next] = readValue(message, afterTag, Number(tag & 7n));
    const field = Number(tag >> 3n);
    fields.set(field, [...(fields.get(field) ?? []), value]);
    at = next;
  }
  return {
    all: (field) => fields.get(field) ?? [],
    bytes: (field) => fields.get(field)?.at(-1) ?? Buffer.alloc(0),
    text: (field) => (fields.get(field)?.at(-1) ?? '').toString(),
    number: (field) => Number(fields.get(field)?.at(-1) ?? 0n),
    has: (field) => fields.has(field),
  };
}

function readVarint(message, from) {
  let value = 0n;
  for (let at = from, shift = 0n; ; at++, shift += 7n) {
    if (at >= message.length) throw new Error('a message ends within a number');
    value |= BigInt(message[at] & 0x7f) << shift;
    if (message[at] < 0x80) return [value, at + 1];
  }
}

function readValue(message, at, wireType) {
  if (wireType === 0) return readVarint(message, at);
  if (wireType === 1) return [message.subarray(at, at + 8), at + 8];
  if (wireType === 5) return [message.subarray(at, at + 4), at + 4];
  if (wireType !== 2) throw new Error(`wire type ${wireType} is not part of proto3`);
  const [length, from] = readVarint(message, at);
  return [message.subarray(from, from + Number(length)), from + Number(length)];
}

/** Milliseconds of a google.protobuf.Duration; `otherwise` if it is not set. */
export function durationMs(fields, field, otherwise) {
  if (!fields.has(field)) return otherwise;
  const duration = read(fields.bytes(field));
  return duration.number(1) * 1_000 + duration.number(2) / 1e6;
}
