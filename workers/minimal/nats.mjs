// One subscription on NATS without TLS, kept until it is closed.
import { createPrivateKey, sign } from 'node:crypto';
import { connect } from 'node:net';

const RECONNECT_MS = 200;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** The PKCS #8 prefix of the 32 bytes of an Ed25519 seed. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

function base32(text) {
  const bits = [...text].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

function signature(seed, nonce) {
  const der = Buffer.concat([PKCS8_HEAD, base32(seed).subarray(2, 34)]);
  return sign(null, Buffer.from(nonce), createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).toString(
    'base64url',
  );
}

/**
 * Subscribes to `subject`. Calls `credentials()` for each connection, `onUp` and `onDown` when the subscription becomes
 * active and inactive, and `onMessage` with the bytes of each message.
 */
export class Subscription {
  #options;
  #socket;
  #input = Buffer.alloc(0);
  #isUp = false;
  #urls = 0;
  #timer;
  #closed = false;

  constructor(options) {
    this.#options = options;
    this.#connect();
  }

  /** Closes the connection; another one follows. */
  reconnect() {
    this.#socket.destroy();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  #connect() {
    const { urls } = this.#options;
    const { hostname, port } = new URL(urls[this.#urls++ % urls.length]);
    this.#input = Buffer.alloc(0);
    this.#socket = connect(Number(port || 4222), hostname);
    this.#socket.on('data', (data) => this.#read(data));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#broken());
  }

  #broken() {
    if (this.#isUp && !this.#closed) this.#options.onDown();
    this.#isUp = false;
    if (!this.#closed) this.#timer = setTimeout(() => this.#connect(), RECONNECT_MS * (1 + Math.random()));
  }

  #read(data) {
    this.#input = Buffer.concat([this.#input, data]);
    for (let end = this.#input.indexOf('\r\n'); end >= 0; end = this.#input.indexOf('\r\n')) {
      const line = this.#input.subarray(0, end).toString();
      const length = line.startsWith('MSG ') ? Number(line.split(' ').at(-1)) : undefined;
      const next = end + 2 + (length === undefined ? 0 : length + 2);
      if (this.#input.length < next) return;
      const payload = this.#input.subarray(end + 2, end + 2 + (length ?? 0));
      this.#input = this.#input.subarray(next);
      this.#receive(line, length === undefined ? undefined : payload);
    }
  }

  #receive(line, payload) {
    if (payload) this.#options.onMessage(payload);
    else if (line.startsWith('INFO ')) this.#greet(JSON.parse(line.slice(5)));
    else if (line === 'PING') this.#socket.write('PONG\r\n');
    else if (line === 'PONG' && !this.#isUp) {
      this.#isUp = true;
      this.#options.onUp();
    } else if (line.startsWith('-ERR')) this.#socket.destroy();
  }

  #greet({ nonce }) {
    if (this.#isUp) return; // a cluster lists its servers in further INFOs
    const { jwt, seed } = this.#options.credentials();
    const proof = jwt ? { jwt, sig: signature(seed, nonce) } : {};
    const hello = {
      ...proof,
      protocol: 1,
      verbose: false,
      pedantic: false,
      lang: 'none',
      version: '1',
      tls_required: false,
    };
    this.#socket.write(`CONNECT ${JSON.stringify(hello)}\r\nSUB ${this.#options.subject} 1\r\nPING\r\n`);
  }
}
