/** Starts a temporary embedded nats-server for tests, with everything that a replica needs to connect. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExternalBusOptions } from '../../../server/bus/connect-bus.ts';
import { EmbeddedServer } from '../../../server/bus/embedded-server.ts';
import { formatCredentials, issueReplicaCredentials, type UserCredentials } from '../../../server/bus/trust.ts';
import type { Log } from '../../../server/engine/ports/ports.ts';

export interface ScratchNats {
  readonly url: string;
  /** The folder of all its files. */
  readonly folder: string;
  readonly server: EmbeddedServer;
  /** A replica's credentials, with all permissions. */
  readonly replica: UserCredentials;
  /** The same as a file. */
  readonly credentialsFile: string;
  /** The account's seed as a file. It signs the credentials of sessions. */
  readonly signingSeedFile: string;
  /** Options of `connectBus` for a replica that signs its sessions' credentials itself. */
  busOptions(log?: Log): ExternalBusOptions;
  /** Stops the server and removes its folder. */
  stop(): Promise<void>;
}

export const quietLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

export async function startNats(log: Log = quietLog): Promise<ScratchNats> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-nats-'));
  const server = await EmbeddedServer.start({ folder: join(folder, 'nats'), log });
  const replica = await issueReplicaCredentials(server.trust);
  const credentialsFile = join(folder, 'replica.creds');
  const signingSeedFile = join(folder, 'account.seed');
  await writeFile(credentialsFile, formatCredentials(replica), { mode: 0o600 });
  await writeFile(signingSeedFile, server.trust.accountKey.getSeed(), { mode: 0o600 });
  return {
    url: server.url,
    folder,
    server,
    replica,
    credentialsFile,
    signingSeedFile,
    busOptions: (busLog = quietLog) => ({
      mode: 'external',
      nowMs: Date.now,
      urls: [server.url],
      credentialsFile,
      signingSeedFile,
      log: busLog,
    }),
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
