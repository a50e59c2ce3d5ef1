/** What has arrived of a request's body over HTTP: how much it is, and the message in it until its call begins. */
import { gunzipSync } from 'node:zlib';
import { createContextKey, type HandlerContext } from '@connectrpc/connect';
import { MAX_MESSAGE_BYTES } from '../undecodable.ts';

/** What a compressed request is taken to grow to. */
const GROWTH = 8;
/** Of Connect's streams and of gRPC-Web: one byte of flags, four of length. */
const FRAME_BYTES = 5;
const GZIP = 0x1f;

/** The HTTP port adds what arrives. */
export class ReceivedBody {
  #count = 0;
  #chunks: Uint8Array[] | undefined = [];

  add(chunk: Uint8Array): void {
    this.#count += chunk.length;
    this.#chunks?.push(chunk);
  }

  /** Its message is decoded: the bytes are not needed any more. */
  forget(): void {
    this.#chunks = undefined;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks ?? []);
  }
}

export const receivedBody = createContextKey(new ReceivedBody());

/** The size of the message, unpacked: an estimate. */
export function messageBytes({ requestHeader, values }: HandlerContext): number {
  const isPacked = ['content-encoding', 'connect-content-encoding', 'grpc-encoding'].some((name) =>
    requestHeader.has(name),
  );
  return Math.min(values.get(receivedBody).count * (isPacked ? GROWTH : 1), MAX_MESSAGE_BYTES);
}

/** The message in JSON; empty if it cannot be unpacked. */
export function messageText({ requestHeader, values }: HandlerContext): string {
  const { bytes } = values.get(receivedBody);
  const isFramed = /^application\/(connect|grpc-web)\+/.test(requestHeader.get('content-type') ?? '');
  try {
    const message = isFramed ? bytes.subarray(FRAME_BYTES, FRAME_BYTES + bytes.readUInt32BE(1)) : bytes;
    const isPacked = message[0] === GZIP;
    return (isPacked ? gunzipSync(message, { maxOutputLength: MAX_MESSAGE_BYTES }) : message).toString();
  } catch {
    return '';
  }
}
