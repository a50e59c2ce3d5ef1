/** The kit's bus: one real nats-server for all cases, in a temporary folder. */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { openFirstClient } from '../../../bus/client.ts';
import { EmbeddedServer } from '../../../bus/embedded-server.ts';
import { issueSessionJwt } from '../../../bus/session-jwt.ts';
import { issueReplicaCredentials } from '../../../bus/trust.ts';
import type { Log, SessionCredentials } from '../../../engine/ports/ports.ts';

const quiet: Log = { info: () => {}, warn: () => {}, error: () => {} };
const FIRST_TRY_MS = 10_000;

/** nats-server is missing, or does not start. */
export class NoBus extends Error {}

export class Bus {
  readonly port: number;
  readonly #server: EmbeddedServer;
  readonly #client: NatsConnection;
  readonly #folder: string;

  private constructor(server: EmbeddedServer, client: NatsConnection, folder: string) {
    this.#server = server;
    this.#client = client;
    this.#folder = folder;
    this.port = Number(new URL(server.url).port);
    // After the server's own exit listener, which ends it: so nothing is written any more.
    process.on('exit', this.#remove);
  }

  /** @throws NoBus */
  static async start(): Promise<Bus> {
    const folder = await mkdtemp(join(tmpdir(), 'muster-conformance-'));
    const server = await EmbeddedServer.start({ folder, log: quiet }).catch(async (cause: Error) => {
      await rm(folder, { recursive: true, force: true });
      throw new NoBus(cause.message, { cause });
    });
    const { jwt, seed } = await issueReplicaCredentials(server.trust);
    const authenticator = jwtAuthenticator(jwt, Buffer.from(seed));
    const client = await openFirstClient(
      { urls: [server.url], authenticator, name: 'muster conformance' },
      FIRST_TRY_MS,
    );
    return new Bus(server, client, folder);
  }

  publish(subject: string, message: Uint8Array): void {
    this.#client.publish(subject, message);
  }

  /** Credentials for the subject of this session only, with this lifetime. */
  access(sessionId: string, lifeMs: number): SessionCredentials {
    const { accountId, accountKey } = this.#server.trust;
    return issueSessionJwt({ accountId, signingKey: accountKey, lifeMs }, sessionId, Date.now());
  }

  async stop(): Promise<void> {
    await this.#client.close();
    await this.#server.stop();
    process.off('exit', this.#remove);
    this.#remove();
  }

  readonly #remove = () => rmSync(this.#folder, { recursive: true, force: true });
}
