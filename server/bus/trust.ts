/**
 * Keys of the embedded nats-server: an operator, an account, and the server's system account, created at the first
 * start and stored with its data.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeAccount, encodeOperator, encodeUser } from '@nats-io/jwt';
import type { KeyPair } from '@nats-io/nkeys';
import { createKey, type KeyRole, keyFromSeed } from './keys.ts';

export interface Trust {
  readonly operatorJwt: string;
  readonly accountJwt: string;
  readonly accountId: string;
  /** Of the system account, which JetStream requires; nobody connects to it. */
  readonly systemJwt: string;
  readonly systemId: string;
  /** Signs the JWTs of sessions and replicas. */
  readonly accountKey: KeyPair;
}

/** A JWT and the seed that proves it; the seed is a secret. */
export interface UserCredentials {
  readonly jwt: string;
  readonly seed: string;
}

/** Within the account only a session's own JWT limits anything; leaf nodes are not allowed. */
const accountLimits = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: 0,
  mem_storage: -1,
  disk_storage: -1,
  streams: -1,
  consumer: -1,
  disallow_bearer: true,
};

/**
 * Reads the keys in `folder`, or creates them (files of mode 0600), and signs the JWTs.
 *
 * @throws Error if a key file is damaged; it names the file and does not repeat its content.
 */
export async function loadTrust(folder: string): Promise<Trust> {
  const operatorKey = await loadKey(join(folder, 'operator.seed'), 'operator');
  const accountKey = await loadKey(join(folder, 'account.seed'), 'account');
  const systemKey = await loadKey(join(folder, 'system.seed'), 'account');
  const systemId = systemKey.getPublicKey();
  return {
    operatorJwt: await encodeOperator('muster', operatorKey, { system_account: systemId }),
    systemJwt: await encodeAccount('system', systemKey, {}, { signer: operatorKey }),
    systemId,
    accountJwt: await encodeAccount('muster', accountKey, { limits: accountLimits }, { signer: operatorKey }),
    accountId: accountKey.getPublicKey(),
    accountKey,
  };
}

/** New credentials of a replica: it may do everything within the account. */
export async function issueReplicaCredentials(trust: Trust): Promise<UserCredentials> {
  const user = createKey('user');
  const jwt = await encodeUser('replica', user, trust.accountKey);
  return { jwt, seed: Buffer.from(user.getSeed()).toString() };
}

/** Readers have inboxes of their own: in those of everybody else are the answers that replicas get. */
const READER_INBOX = '_INBOX_EVENTS';

/** JetStream API subjects that a reader of events may use: about the stream, and about its consumers. */
function readerRights(stream: string): string[] {
  const consumers = ['CREATE', 'DURABLE.CREATE', 'INFO', 'MSG.NEXT', 'NAMES', 'LIST', 'DELETE'];
  return [
    '$JS.API.INFO',
    `$JS.API.STREAM.INFO.${stream}`,
    ...consumers.flatMap((verb) => [`$JS.API.CONSUMER.${verb}.${stream}`, `$JS.API.CONSUMER.${verb}.${stream}.>`]),
    `$JS.ACK.${stream}.>`,
  ];
}

/**
 * Writes a `.creds` file (mode 0600) for programs that may read the stream and nothing else; an existing file stays.
 */
export async function keepReaderCredentials(trust: Trust, path: string, stream: string): Promise<void> {
  const user = createKey('user');
  const rights = { pub: { allow: readerRights(stream), deny: [] }, sub: { allow: [`${READER_INBOX}.>`], deny: [] } };
  const jwt = await encodeUser('event reader', user, trust.accountKey, rights);
  const text = formatCredentials({ jwt, seed: Buffer.from(user.getSeed()).toString() });
  await writeFile(path, text, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** The content of a `.creds` file. */
export function formatCredentials({ jwt, seed }: UserCredentials): string {
  const part = (name: string, text: string) => `-----BEGIN ${name}-----\n${text}\n------END ${name}------\n`;
  return [part('NATS USER JWT', jwt), part('USER NKEY SEED', seed)].join('\n');
}

async function loadKey(path: string, role: KeyRole): Promise<KeyPair> {
  const seed = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (seed === undefined) return makeKey(path, role);
  try {
    return keyFromSeed(seed, role);
  } catch (cause) {
    throw new Error(`${path} is damaged: bring it back, or delete it to have a new key made`, { cause });
  }
}

/** Renamed into place, so that a crash leaves either no key or a complete one. */
async function makeKey(path: string, role: KeyRole): Promise<KeyPair> {
  const key = createKey(role);
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, key.getSeed(), { mode: 0o600, flag: 'wx' });
  await rename(draft, path);
  return key;
}
