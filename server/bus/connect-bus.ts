/** Connects a replica to its bus: an embedded nats-server, or an external one. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Authenticator, jwtAuthenticator } from '@nats-io/transport-node';
import type { Bus, Log } from '../engine/ports/ports.ts';
import { BusUnreachable, openFirstClient } from './client.ts';
import { BusConnection, type ConnectionOptions } from './connection.ts';
import { CredentialsFile } from './credentials-file.ts';
import { EmbeddedServer } from './embedded-server.ts';
import { keyFromSeed } from './keys.ts';
import { NatsBus, type NatsBusParts, userPayloadLimit } from './nats-bus.ts';
import { ownAccess, type SessionAccessRule, sharedAccess } from './session-access.ts';
import { issueReplicaCredentials, type UserCredentials } from './trust.ts';

export interface EmbeddedBusOptions {
  readonly mode: 'embedded';
  /** The data folder, whose lock the caller holds; all files of the bus are in `nats/` below it. */
  readonly dataFolder: string;
  readonly log: Log;
  /** Path of nats-server. Default: see `findServerBinary`. */
  readonly binary?: string | undefined;
}

export interface ExternalBusOptions {
  readonly mode: 'external';
  /** `nats://host:port` or `tls://host:port`, at least one, without user or password. Sessions get the same URLs. */
  readonly urls: readonly string[];
  /** Path of the `.creds` file for replicas. None: the bus asks for no credentials. */
  readonly credentialsFile?: string | undefined;
  /**
   * Path of a file with the seed (`SA…`) of the account of those credentials, or of one of its signing keys. With it
   * each session gets credentials for its own subject; without it all sessions get those of `credentialsFile`.
   */
  readonly signingSeedFile?: string | undefined;
  /** Max time that the start waits for the bus. Default: 5,000 ms. */
  readonly firstConnectMs?: number | undefined;
  /** Dates the credentials of sessions, which NATS checks by its own clock: milliseconds since 1970 by the database. */
  readonly nowMs: () => number;
  readonly log: Log;
}

export type BusOptions = EmbeddedBusOptions | ExternalBusOptions;

export type ConnectedBus = Bus & {
  /** Sends published messages (for at most a second), disconnects, and stops the server if it is embedded. */
  close(): Promise<void>;
};

const firstEchoMs = 3_000;
const firstTryMs = 5_000;

/**
 * Connects a replica. An external bus that can't be reached is down at first, and is connected to once it answers.
 *
 * @throws Error if the embedded server can't be started, or if a server refuses the credentials, or does not return a
 * message of the replica to it.
 */
export async function connectBus(options: BusOptions): Promise<ConnectedBus> {
  return options.mode === 'embedded' ? connectEmbedded(options) : connectExternal(options);
}

async function connectEmbedded(options: EmbeddedBusOptions): Promise<ConnectedBus> {
  const { log, binary } = options;
  const server = await EmbeddedServer.start({ folder: join(options.dataFolder, 'nats'), log, binary });
  try {
    const credentials = await issueReplicaCredentials(server.trust);
    // The server checks them by the clock of this machine.
    const accessRule = ownAccess({ accountId: server.trust.accountId, signingKey: server.trust.accountKey }, Date.now);
    const release = () => server.stop();
    const connection = await BusConnection.open(
      connectionOf({ urls: [server.url], credentials: () => credentials, log }),
    );
    return await startBus(connection, { sessionUrls: [server.url], accessRule, log, release });
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function connectExternal(options: ExternalBusOptions): Promise<ConnectedBus> {
  const { urls, log, firstConnectMs = 5_000 } = options;
  for (const url of urls) refuseUserInUrl(url);
  const file = options.credentialsFile === undefined ? undefined : new CredentialsFile(options.credentialsFile);
  const accessRule = externalAccess(options, file);
  const settings = connectionOf({ ...options, firstConnectMs, credentials: file && (() => file.readAgain()) });
  const parts = { sessionUrls: urls, accessRule, log };
  const tried = async () => {
    if (options.signingSeedFile !== undefined) await tryAccess(options, accessRule, options.signingSeedFile);
  };
  let connection: BusConnection;
  try {
    connection = await BusConnection.open(settings);
  } catch (error) {
    if (!(error instanceof BusUnreachable)) throw error;
    log.warn({ error: error.message }, 'starts without the bus: jobs run, but slowly, until it answers');
    return startLater(BusConnection.openLater(settings), parts, tried);
  }
  const bus = await startBus(connection, parts);
  try {
    await tried();
    return bus;
  } catch (error) {
    await bus.close();
    throw error;
  }
}

/**
 * Connects once as a session would: with a wrong signing key each worker would be refused, and the replica's log would
 * not show it.
 */
async function tryAccess(
  { urls, nowMs }: ExternalBusOptions,
  accessRule: SessionAccessRule,
  seedFile: string,
): Promise<void> {
  const { jwt, seed } = accessRule(randomUUID());
  const authenticator = jwtAuthenticator(jwt, Buffer.from(seed));
  try {
    const client = await openFirstClient(
      { urls, authenticator, name: 'muster trial of session credentials' },
      firstTryMs,
    );
    await client.close();
  } catch (cause) {
    throw new Error(
      `sessions can't connect to the bus with credentials signed by ${seedFile}: it has to hold the seed of the account of the replicas' credentials, or of one of that account's signing keys that has no scope; and the clocks of the database, which says ${new Date(nowMs()).toISOString()}, and of the machine of NATS have to agree`,
      { cause },
    );
  }
}

function externalAccess(options: ExternalBusOptions, file: CredentialsFile | undefined): SessionAccessRule {
  const { signingSeedFile, nowMs, log } = options;
  if (signingSeedFile === undefined) {
    log.warn(
      {},
      file
        ? 'no signing seed for the bus: workers share its credentials and can read the messages to other workers; with a signing seed of its account each worker gets its own'
        : 'no credentials for the bus: anyone who reaches it can read and send messages to workers; use credentials and a signing seed of their account',
    );
    return sharedAccess(() => file?.current);
  }
  if (!file) throw new Error('a signing seed for the bus needs a credentials file, which names the account');
  return ownAccess({ accountId: file.current.accountId, signingKey: readSigningKey(signingSeedFile) }, nowMs);
}

function readSigningKey(path: string) {
  const seed = readFileSync(path, 'utf8');
  try {
    return keyFromSeed(seed, 'account');
  } catch (cause) {
    throw new Error(`${path} does not hold the seed of a NATS account key`, { cause });
  }
}

/** A password in the URL could be passed neither to the client, which ignores it, nor to sessions. */
function refuseUserInUrl(url: string): void {
  if (/^[a-z]+:\/\/[^/]*@/i.test(url)) {
    throw new Error('the URL of the bus holds a user or a password: use a credentials file instead');
  }
}

interface Opened extends Pick<ExternalBusOptions, 'urls' | 'firstConnectMs' | 'log'> {
  readonly credentials: (() => UserCredentials) | undefined;
}

function connectionOf({ urls, credentials, firstConnectMs, log }: Opened): ConnectionOptions {
  const authenticator = credentials && authenticate(credentials);
  return { urls, authenticator, name: `muster replica ${randomUUID()}`, firstConnectMs, log };
}

type BusParts = Omit<NatsBusParts, 'connection' | 'replicaId'>;

const busOn = (connection: BusConnection, parts: BusParts) =>
  new NatsBus({ ...parts, connection, replicaId: randomUUID() });

async function startBus(connection: BusConnection, parts: BusParts): Promise<NatsBus> {
  const bus = busOn(connection, parts);
  const problem = await problemOf(bus, connection);
  if (problem === undefined) return bus;
  await bus.close();
  throw new Error(problem);
}

/** What would have kept the replica from starting is logged once the bus answers. */
function startLater(connection: BusConnection, parts: BusParts, tried: () => Promise<void>): NatsBus {
  const bus = busOn(connection, parts);
  const assumed = bus.maxUserPayload;
  let isFirst = true;
  const check = async () => {
    const problem = await problemOf(bus, connection);
    if (problem !== undefined) throw new Error(problem);
    if (bus.maxUserPayload < assumed) throw new Error(`its max_payload is ${connection.maxPayload} bytes: start again`);
    await tried();
  };
  connection.onReconnect(() => {
    if (isFirst) void check().catch((error) => parts.log.error({ error: error.message }, 'the bus is of no use'));
    isFirst = false;
  });
  return bus;
}

/** Why the replica can't work with a bus that has just answered. */
async function problemOf(bus: NatsBus, connection: BusConnection): Promise<string | undefined> {
  const echoed = bus.firstEcho.then(() => true);
  const abort = new AbortController();
  const timeUp = delay(firstEchoMs, false, { signal: abort.signal }).catch(() => false);
  const problem = (await Promise.race([echoed, timeUp]))
    ? payloadProblem(connection.maxPayload)
    : "the bus did not carry a replica's message back to it within 3 s: either it hangs, or its credentials, which have to allow muster.v1.>, do not";
  abort.abort();
  return problem;
}

function payloadProblem(maxPayload: number): string | undefined {
  if (userPayloadLimit(maxPayload) > 0) return undefined;
  return `max_payload of the bus is ${maxPayload} bytes, which leaves no room for a payload: raise it, best to 2 MiB`;
}

function authenticate(credentials: () => UserCredentials): Authenticator {
  return (nonce) => {
    const { jwt, seed } = credentials();
    return jwtAuthenticator(jwt, Buffer.from(seed))(nonce);
  };
}
