// Unary gRPC calls over HTTP/2 without TLS.
import { connect } from 'node:http2';
import { read } from './protobuf.mjs';

const SERVICE = '/muster.worker.v1.SessionService/';

export const Code = { UNKNOWN: 2, INVALID_ARGUMENT: 3, FAILED_PRECONDITION: 9, UNIMPLEMENTED: 12, UNAVAILABLE: 14 };

/** A failed call: `code` is gRPC's, `reason` that of google.rpc.ErrorInfo, such as LEASE_LOST. */
export class CallError extends Error {
  constructor(code, message, reason = '') {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

/** One connection; the next call reopens it when it is gone. */
export class Channel {
  #address;
  #connection;

  constructor(address) {
    this.#address = address;
  }

  /** Sends a message and resolves with the reply, both as bytes. */
  call(method, fields, timeoutMs) {
    return new Promise((resolve, reject) => {
      const fail = (error) => reject(new CallError(Code.UNAVAILABLE, String(error)));
      const stream = this.#connect(fail).request({
        ':method': 'POST',
        ':path': SERVICE + method,
        'content-type': 'application/grpc',
        te: 'trailers',
        'grpc-timeout': `${timeoutMs}m`,
      });
      const chunks = [];
      let status;
      const note = (headers) => {
        if ('grpc-status' in headers) status = headers;
      };
      stream.on('response', note).on('trailers', note).on('error', fail);
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('close', () => settle(status, Buffer.concat(chunks), resolve, reject));
      stream.setTimeout(timeoutMs + 1_000, () => stream.close());
      stream.end(framed(Buffer.concat(fields)));
    });
  }

  close() {
    this.#connection?.close();
  }

  #connect(fail) {
    if (this.#connection && !this.#connection.closed && !this.#connection.destroyed) return this.#connection;
    this.#connection = connect(`http://${this.#address}`);
    this.#connection.once('error', fail);
    return this.#connection;
  }
}

function framed(message) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function settle(status, body, resolve, reject) {
  if (status === undefined) reject(new CallError(Code.UNAVAILABLE, 'the connection broke'));
  else if (status['grpc-status'] === '0') resolve(body.subarray(5));
  else reject(errorOf(status));
}

function errorOf(status) {
  const details = read(Buffer.from(status['grpc-status-details-bin'] ?? '', 'base64')).all(3);
  const info = details.map(read).find((detail) => detail.text(1).endsWith('google.rpc.ErrorInfo'));
  const reason = info ? read(info.bytes(2)).text(1) : '';
  return new CallError(Number(status['grpc-status']), decodeURIComponent(status['grpc-message'] ?? ''), reason);
}
