/** The text form of NATS keys: base32 of a prefix for the key's role, the key, and a checksum. */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Text of `body`, which starts with its prefix. */
export function encodeKeyText(body: Uint8Array): string {
  const checksum = crc16(body);
  const bytes = Uint8Array.of(...body, checksum & 0xff, checksum >> 8);
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31];
  }
  return bits > 0 ? text + alphabet[(held << (5 - bits)) & 31] : text;
}

/**
 * Inverse of `encodeKeyText`.
 *
 * @throws Error if the text is not valid. The message does not repeat the text, which may be a secret.
 */
export function decodeKeyText(text: string): Uint8Array {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const letter of text) {
    const value = alphabet.indexOf(letter);
    if (value < 0) throw new Error('not a NATS key: it has a letter that base32 does not know');
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  const body = Uint8Array.from(bytes.slice(0, -2));
  const checksum = (bytes.at(-2) ?? 0) | ((bytes.at(-1) ?? 0) << 8);
  if (body.length === 0 || crc16(body) !== checksum) throw new Error('not a NATS key: its checksum does not fit');
  return body;
}

/** CRC-16 with the polynomial 0x1021, from zero. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}
