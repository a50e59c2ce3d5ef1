/** The bus of a deployment: one server behind a proxy, or a cluster of three. */
import { startNats } from '../../support/base/nats.ts';
import { makeCluster, type NatsCluster } from '../../support/base/nats-cluster.ts';
import { TcpProxy } from './network/tcp-proxy.ts';

const NODES = 3;

export interface Bus {
  /** Options of `muster start`. */
  readonly args: readonly string[];
  /** Undefined for a cluster: its nodes name each other to clients. */
  readonly proxy: TcpProxy | undefined;
  readonly cluster: NatsCluster | undefined;
  /** The proxy through which the others reach each node of the cluster. */
  readonly routes: readonly TcpProxy[];
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

export async function startServerBus(): Promise<Bus> {
  const nats = await startNats();
  const proxy = await TcpProxy.open();
  const port = Number(new URL(nats.url).port);
  proxy.aim(port);
  const files = ['--nats-credentials', nats.credentialsFile, '--nats-signing-seed', nats.signingSeedFile];
  return {
    args: ['--nats', `nats://127.0.0.1:${proxy.port}`, ...files],
    proxy,
    cluster: undefined,
    routes: [],
    ports: [port, proxy.port],
    stop: async () => {
      await proxy.close();
      await nats.stop();
    },
  };
}

export async function startClusterBus(): Promise<Bus> {
  const routes = await Promise.all(Array.from({ length: NODES }, () => TcpProxy.open()));
  const cluster = await makeCluster(NODES, (port, n) => {
    routes[n]?.aim(port);
    return routes[n]?.port ?? port;
  });
  for (const node of cluster.nodes) node.start();
  return {
    args: cluster.nodes.flatMap(({ url }) => ['--nats', url]),
    proxy: undefined,
    cluster,
    routes,
    ports: [...cluster.nodes.map(({ url }) => Number(new URL(url).port)), ...routes.map(({ port }) => port)],
    stop: async () => {
      await cluster.stop();
      await Promise.all(routes.map((proxy) => proxy.close()));
    },
  };
}
