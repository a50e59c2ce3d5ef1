/** Speaks to the gRPC port in hand-made frames that no library would send. */
import { connect, type IncomingHttpHeaders } from 'node:http2';

export interface RawAnswer {
  readonly httpStatus: number;
  /** The gRPC code of the trailers or of a headers-only answer; undefined if the stream broke off. */
  readonly code: number | undefined;
  readonly message: string;
  /** google.rpc.Status in binary; empty if there is none. */
  readonly details: Buffer;
  readonly body: Buffer;
}

/** A gRPC message: the flag, the length, the bytes. */
export function frame(bytes: Uint8Array, options: { compressed?: boolean; declared?: number } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(options.compressed ? 1 : 0, 0);
  head.writeUInt32BE(options.declared ?? bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

const TIMEOUT_MS = 20_000;

/** Sends the headers and these bytes, ends the stream, and waits for its end. */
export function rawCall(
  address: string,
  path: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const session = connect(`http://${address}`);
  const answer = new Promise<RawAnswer>((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const seen: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    stream.setTimeout(TIMEOUT_MS, () => stream.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    stream.on('response', (head) => Object.assign(seen, head));
    stream.on('trailers', (trailers) => Object.assign(seen, trailers));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      const code = seen['grpc-status'];
      resolve({
        httpStatus: Number(seen[':status' as keyof IncomingHttpHeaders]),
        code: code === undefined ? undefined : Number(code),
        message: decodeURI(String(seen['grpc-message'] ?? '')),
        details: Buffer.from(String(seen['grpc-status-details-bin'] ?? ''), 'base64'),
        body: Buffer.concat(chunks),
      });
    });
    stream.end(body);
  });
  return answer.finally(() => session.close());
}
