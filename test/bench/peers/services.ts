/** The servers of the peers' stores, each started when a peer first asks for it. */
import pg from 'pg';
import { type ScratchPostgres, startPostgres } from '../../support/databases/postgres.ts';
import type { Store } from './peer.ts';
import { type ScratchRedis, startRedis } from './redis.ts';

/** A store for one run of a peer. */
export interface OpenStore {
  readonly url: string;
  /** Deletes the contents, so that no server works on them while others are measured. */
  close(): Promise<void>;
}

export interface Services {
  /** An empty store; several may be open at once. */
  open(store: Store): Promise<OpenStore>;
  /** Versions of the stores, for the report. */
  versions(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

async function openDatabase(postgres: ScratchPostgres): Promise<OpenStore> {
  const url = await postgres.createDatabase();
  const close = async () => {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(`DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
    await client.end();
  };
  return { url, close };
}

export async function startServices(): Promise<Services> {
  const postgres = await startPostgres();
  const redis = new Map<Store, Promise<ScratchRedis>>();
  const redisOf = (store: 'redis' | 'redis-always') => {
    const running = redis.get(store) ?? startRedis(store === 'redis' ? 'everysec' : 'always');
    redis.set(store, running);
    return running;
  };
  return {
    async open(store) {
      return store === 'postgres' ? openDatabase(postgres) : (await redisOf(store)).open();
    },
    async versions() {
      const servers = await Promise.all(redis.values());
      return ['PostgreSQL 18 with fsync', ...new Set(servers.map(({ version }) => `Redis ${version}`))];
    },
    async stop() {
      const servers = await Promise.allSettled(redis.values());
      await Promise.all(servers.map((server) => (server.status === 'fulfilled' ? server.value.stop() : undefined)));
      await postgres.stop();
    },
  };
}
