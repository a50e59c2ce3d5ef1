/** A cluster of nats-servers with JetStream, whose nodes tests kill and start again. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dieWithParent, findServerBinary } from '../../../server/bus/server-binary.ts';
import { launchServer, type ServerProcess } from '../../../server/bus/server-process.ts';
import { freePort } from '../databases/postgres.ts';

export interface ClusterNode {
  readonly name: string;
  readonly url: string;
  /** Undefined: it does not run. */
  readonly pid: number | undefined;
  start(): void;
  kill(): Promise<void>;
  /** Removes the store of the dead node. */
  loseStore(): Promise<void>;
}

export interface NatsCluster {
  readonly nodes: readonly ClusterNode[];
  stop(): Promise<void>;
}

/**
 * No node is started.
 * @param routeTo Gives the port at which the others reach the nth node, which is on this one. Default: the same.
 */
export async function makeCluster(
  count = 3,
  routeTo: (port: number, n: number) => number = (port) => port,
): Promise<NatsCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-nats-cluster-'));
  const [binary, prefix] = await Promise.all([findServerBinary(), dieWithParent()]);
  const places = await Promise.all(
    ['a', 'b', 'c']
      .slice(0, count)
      .map(async (name) => ({ name, port: await freePort(), routePort: await freePort() })),
  );
  const addresses = places.map(({ routePort }, n) => `127.0.0.1:${routeTo(routePort, n)}`);
  const routes = addresses.map((address) => `nats://${address}`);
  const nodes = await Promise.all(
    places.map(async ({ name, port, routePort }, n) => {
      const file = join(folder, `${name}.conf`);
      await writeFile(
        file,
        `server_name: ${name}
host: 127.0.0.1
port: ${port}
jetstream { store_dir: ${JSON.stringify(join(folder, name))}, max_file_store: 1GB }
cluster {
  name: muster, host: 127.0.0.1, port: ${routePort}
  advertise: ${JSON.stringify(addresses[n])}, routes: ${JSON.stringify(routes)}
}
`,
      );
      let running: ServerProcess | undefined;
      return {
        name,
        url: `nats://127.0.0.1:${port}`,
        get pid() {
          return running?.pid;
        },
        start: () => {
          running = launchServer(prefix, binary, file);
        },
        kill: async () => {
          running?.kill('SIGKILL');
          await running?.ended;
          running = undefined;
        },
        loseStore: () => rm(join(folder, name), { recursive: true, force: true }),
      };
    }),
  );
  return {
    nodes,
    async stop() {
      await Promise.all(nodes.map((node) => node.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
