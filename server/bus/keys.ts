/**
 * NATS keys based on node:crypto, behind the interface of `@nats-io/nkeys`. That package's own keys are pure
 * JavaScript: signing one JWT blocks the event loop for 23 ms, here for a few hundredths of that.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { type KeyPair, Prefix } from '@nats-io/nkeys';
import { decodeKeyText, encodeKeyText } from './key-text.ts';

export type KeyRole = 'operator' | 'account' | 'user';

const rolePrefixes = { operator: Prefix.Operator, account: Prefix.Account, user: Prefix.User } as const;
/** The bytes before the 32 bytes of an Ed25519 key in PKCS #8. */
const pkcs8Header = Buffer.from('302e020100300506032b657004220420', 'hex');

class Ed25519KeyPair implements KeyPair {
  readonly #prefix: number;
  readonly #seed: Uint8Array;
  readonly #publicKey: Uint8Array;
  #privateKey: KeyObject | undefined;

  constructor(prefix: number, seed: Uint8Array, publicKey: Uint8Array) {
    this.#prefix = prefix;
    this.#seed = seed;
    this.#publicKey = publicKey;
  }

  getPublicKey(): string {
    return encodeKeyText(Uint8Array.of(this.#prefix, ...this.#publicKey));
  }

  getSeed(): Uint8Array {
    // The prefix "seed" and the role share two bytes, five bits per letter, so that both are readable in the text.
    const head = [Prefix.Seed | (this.#prefix >> 5), (this.#prefix & 31) << 3];
    return Buffer.from(encodeKeyText(Uint8Array.of(...head, ...this.#seed)));
  }

  getPrivateKey(): Uint8Array {
    return Buffer.from(encodeKeyText(Uint8Array.of(Prefix.Private, ...this.#seed, ...this.#publicKey)));
  }

  sign(input: Uint8Array): Uint8Array {
    this.#privateKey ??= privateKeyOf(this.#seed);
    return sign(null, input, this.#privateKey);
  }

  verify(input: Uint8Array, signature: Uint8Array): boolean {
    return verify(null, input, createPublicKey(privateKeyOf(this.#seed)), signature);
  }

  clear(): void {
    this.#seed.fill(0);
    this.#privateKey = undefined;
  }

  seal(): never {
    throw new Error('this key signs, it does not encrypt');
  }

  open(): never {
    throw new Error('this key signs, it does not decrypt');
  }
}

/** A new key. */
export function createKey(role: KeyRole): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
    publicKeyEncoding: { format: 'der', type: 'spki' },
  });
  return new Ed25519KeyPair(rolePrefixes[role], privateKey.subarray(-32), publicKey.subarray(-32));
}

/**
 * The key of a seed (`SO…`, `SA…` or `SU…`).
 *
 * @throws Error if the text is not the seed of such a key. The message does not repeat the text.
 */
export function keyFromSeed(seed: string, role: KeyRole): KeyPair {
  const body = decodeKeyText(seed.trim());
  const [first = 0, second = 0] = body;
  const prefix = ((first & 7) << 5) | (second >> 3);
  if ((first & 0xf8) !== Prefix.Seed || prefix !== rolePrefixes[role] || body.length !== 34) {
    throw new Error(`not the seed of a NATS ${role} key`);
  }
  const raw = body.subarray(2);
  const publicKey = createPublicKey(privateKeyOf(raw)).export({ format: 'der', type: 'spki' }).subarray(-32);
  return new Ed25519KeyPair(prefix, raw, publicKey);
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Header, seed]), format: 'der', type: 'pkcs8' });
}
