/** A PostgreSQL and a NATS shared by several replicas. */
import type { ConfigInput } from '../../../server/config.ts';
import { startNats } from '../base/nats.ts';
import { startTestReplica, type TestReplica } from '../base/replica.ts';
import { sharedPostgres } from './postgres.ts';

export interface SharedBackends {
  readonly postgresUrl: string;
  /** Settings of a further replica on the same backends. */
  readonly settings: Partial<ConfigInput>;
  stop(): Promise<void>;
}

export async function startSharedBackends(contents: 'schema' | 'empty' = 'schema'): Promise<SharedBackends> {
  const [postgres, nats] = await Promise.all([sharedPostgres(), startNats()]);
  const postgresUrl = await postgres.createDatabase(contents);
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

/** Starts both at once. On an empty database one of them creates the schema. */
export async function startTwoReplicas(
  settings: Partial<ConfigInput>,
  contents?: 'schema' | 'empty',
): Promise<TwoReplicas> {
  const backends = await startSharedBackends(contents);
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
