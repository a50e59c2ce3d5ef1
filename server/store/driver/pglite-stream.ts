/** A socket stand-in that lets the `pg` client talk to PGlite in its worker thread: same client, same statements. */
import { Duplex } from 'node:stream';
import type { Worker } from 'node:worker_threads';

const SYNC = 83; // 'S'
const QUERY = 81; // 'Q'
const TERMINATE = 88; // 'X'
/** AuthenticationOk, then ReadyForQuery: PGlite has one user and needs no password. */
const welcome = Buffer.from([82, 0, 0, 0, 8, 0, 0, 0, 0, 90, 0, 0, 0, 5, 73]);

/** Index just after the last complete Sync or Query message, or 0; and whether the client terminates the connection. */
function scan(bytes: Buffer): { end: number; terminate: boolean } {
  let at = 0;
  let end = 0;
  while (at + 5 <= bytes.length) {
    const type = bytes[at];
    const next = at + 1 + bytes.readUInt32BE(at + 1);
    if (next > bytes.length) break;
    if (type === TERMINATE) return { end, terminate: true };
    if (type === SYNC || type === QUERY) end = next;
    at = next;
  }
  return { end, terminate: false };
}

export class PgliteStream extends Duplex {
  #thread: Worker;
  #started = false;
  #pending: Buffer = Buffer.alloc(0);

  constructor(thread: Worker) {
    super();
    this.#thread = thread;
    thread.on('message', (message: unknown) => {
      if (message instanceof Uint8Array) this.push(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
    });
    thread.on('error', (error) => this.destroy(error));
    thread.on('exit', () => this.destroy(new Error('the embedded database has stopped')));
  }

  /** Called by `pg` as on a socket. */
  connect(): this {
    queueMicrotask(() => this.emit('connect'));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {}

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#take(Buffer.concat([this.#pending, ...chunks.map((item) => item.chunk)]));
    done();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#take(this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk);
    done();
  }

  #take(bytes: Buffer): void {
    if (!this.#started) {
      // The start-up packet is the one message without a type byte.
      this.#started = true;
      this.#pending = Buffer.alloc(0);
      this.push(welcome);
      return;
    }
    const { end, terminate } = scan(bytes);
    if (end > 0) {
      const message = new Uint8Array(bytes.subarray(0, end));
      this.#thread.postMessage(message, [message.buffer]);
    }
    this.#pending = bytes.subarray(end);
    if (terminate) this.push(null);
  }
}
