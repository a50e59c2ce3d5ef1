/** Partitions of one pair of processes, while both reach all others. */
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../../support/base/eventually.ts';
import type { Direction } from '../../harness/network/link.ts';
import { type Partition, sumOf } from '../../harness/network/partition.ts';
import { clientPortsOf } from '../../harness/network/sockets.ts';
import type { TcpProxy } from '../../harness/network/tcp-proxy.ts';
import type { Segment } from '../plan.ts';
import type { World } from '../world.ts';
import { type Fault, require } from './fault.ts';

const LEASES = 1.5;
/** A pair may have nothing to say for a while, such as a worker whose slot is taken and the bus. */
const QUIET_MS = 60_000;

interface Pair {
  readonly what: string;
  /** Whether there is a connection between them. */
  isConnected(): boolean;
  /** Also which of them does not reach the other. */
  part(directions: readonly Direction[]): readonly Partition[];
}

interface PairKind {
  readonly name: string;
  readonly fits?: (plan: Segment) => boolean;
  /** Of one-way partitions. Left out: both. */
  readonly directions?: readonly Direction[];
  draw(world: World): Pair;
}

const replicaAndDatabase: PairKind = {
  name: 'a replica and PostgreSQL',
  draw({ run, dice }) {
    const replica = dice.pick(run.deployment.replicas);
    return clientAndServer(replica.name, () => [replica.pid], run.deployment.databaseProxy);
  },
};

const replicaAndBus: PairKind = {
  name: 'a replica and the bus',
  fits: ({ clusteredBus }) => !clusteredBus,
  draw({ run, dice }) {
    const replica = dice.pick(run.deployment.replicas);
    return clientAndServer(replica.name, () => [replica.pid], busOf(run.deployment));
  },
};

const workerAndBus: PairKind = {
  name: 'a worker and the bus',
  fits: ({ clusteredBus }) => !clusteredBus,
  // A worker seldom sends anything.
  directions: ['answers'],
  draw({ run, dice }) {
    const worker = dice.pick(run.workers);
    return clientAndServer(worker.name, () => worker.group(), busOf(run.deployment));
  },
};

const workerAndReplica: PairKind = {
  name: 'a worker and a replica',
  draw({ run, dice }) {
    const { replicas } = run.deployment;
    const pairs = run.workers.flatMap((worker) => replicas.map((replica, n) => ({ worker, replica, n })));
    const { worker, replica, n } = dice.pick(pairs.filter((pair) => pair.worker.line.to(pair.n).connections > 0));
    const line = worker.line.to(n);
    return {
      what: `${worker.name} and ${replica.name}`,
      isConnected: () => line.connections > 0,
      part: (directions) => [line.part(directions)],
    };
  },
};

const busNodes: PairKind = {
  name: 'two nodes of the bus cluster',
  fits: ({ clusteredBus }) => clusteredBus,
  draw({ run, dice }) {
    const { busCluster, busRoutes } = run.deployment;
    const nodes = (busCluster?.nodes ?? []).map((node, n) => ({ node, route: busRoutes[n] }));
    const [one, other] = dice.shuffled(nodes);
    if (!one?.route || !other?.route) throw new Error('the bus is no cluster');
    // Either of them may have opened a connection between them.
    const there = clientAndServer(one.node.name, () => [one.node.pid], other.route);
    const back = clientAndServer(other.node.name, () => [other.node.pid], one.route);
    return {
      what: `${there.what} and ${back.what}`,
      isConnected: () => there.isConnected() || back.isConnected(),
      part: (directions) => [...there.part(directions), ...back.part(directions.map(reverse))],
    };
  },
};

/** Processes and the server behind a proxy. */
function clientAndServer(what: string, pids: () => readonly (number | undefined)[], proxy: TcpProxy): Pair {
  const isRunning = (pid: number | undefined) => pid !== undefined;
  const ports = () => clientPortsOf(pids().filter(isRunning), proxy.port);
  return { what, isConnected: () => ports().size > 0, part: (directions) => [proxy.part(directions, ports)] };
}

const reverse = (direction: Direction): Direction => (direction === 'requests' ? 'answers' : 'requests');

function busOf({ busProxy }: World['run']['deployment']): TcpProxy {
  if (!busProxy) throw new Error('the bus is no single server');
  return busProxy;
}

function parted({ name, fits, draw, directions: known = ['requests', 'answers'] }: PairKind, oneWay: boolean): Fault {
  return {
    name: `${oneWay ? 'one-way' : 'two-way'} partition of ${name}`,
    ...(fits ? { fits } : {}),
    async inflict(world) {
      const { run, dice } = world;
      const { what, isConnected, part } = draw(world);
      await eventually(`${what}: the pair is connected`, isConnected, { everyMs: 50 });
      const directions: readonly Direction[] = oneWay ? [dice.pick(known)] : ['requests', 'answers'];
      const partitions = part(directions);
      try {
        await Promise.all([
          delay(LEASES * run.deployment.leaseMs),
          run.progress(10),
          eventually(`${what}: a byte is withheld`, () => sumOf(partitions, (one) => one.withheld) > 0, {
            timeoutMs: QUIET_MS,
            everyMs: 50,
          }),
        ]);
        return measure(what, directions, partitions);
      } finally {
        for (const partition of partitions) partition.heal();
      }
    },
  };
}

function measure(what: string, directions: readonly Direction[], partitions: readonly Partition[]): string {
  const [connections, withheld, passed] = [
    sumOf(partitions, (one) => one.connections),
    sumOf(partitions, (one) => one.withheld),
    sumOf(partitions, (one) => one.passed),
  ];
  const kept = `${withheld} bytes of ${directions.join(' and ')} withheld on ${connections} connections`;
  return require(directions.length === 1 || passed === 0, `${what}: ${kept}, ${passed} passed`);
}

export const partitionFaults: readonly Fault[] = [
  replicaAndDatabase,
  replicaAndBus,
  workerAndBus,
  workerAndReplica,
  busNodes,
].flatMap((kind) => [parted(kind, false), parted(kind, true)]);
