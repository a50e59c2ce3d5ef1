/** A PostgreSQL and a NATS that several replicas share. */
import type { ConfigInput } from '../../server/config.ts';
import { startNats } from './nats.ts';
import { startPostgres } from './postgres.ts';
import { startTestReplica, type TestReplica } from './replica.ts';

export interface SharedBackends {
  readonly postgresUrl: string;
  /** For a replica that is to be one of those. */
  readonly settings: Partial<ConfigInput>;
  stop(): Promise<void>;
}

/** @param postgresSettings On top of the server's own, such as `{ fsync: 'off' }`. */
export async function startSharedBackends(postgresSettings: Record<string, string> = {}): Promise<SharedBackends> {
  const [postgres, nats] = await Promise.all([startPostgres({ settings: postgresSettings }), startNats()]);
  const postgresUrl = await postgres.createDatabase();
  const settings = {
    postgresUrl,
    natsUrls: [nats.url],
    natsCredentialsFile: nats.credentialsFile,
    natsSigningSeedFile: nats.signingSeedFile,
  };
  return {
    postgresUrl,
    settings,
    stop: async () => void (await Promise.all([postgres.stop(), nats.stop()])),
  };
}

export interface TwoReplicas {
  readonly replicas: readonly [TestReplica, TestReplica];
  readonly postgresUrl: string;
  stop(): Promise<void>;
}

/** Both start at once: each finds an empty database, and one of them migrates it. */
export async function startTwoReplicas(settings: Partial<ConfigInput>): Promise<TwoReplicas> {
  const backends = await startSharedBackends();
  const shared = { ...backends.settings, ...settings };
  const replicas = await Promise.all([startTestReplica(shared), startTestReplica(shared)]);
  return {
    replicas,
    postgresUrl: backends.postgresUrl,
    stop: async () => {
      await Promise.all(replicas.map((replica) => replica.stop()));
      await backends.stop();
    },
  };
}
