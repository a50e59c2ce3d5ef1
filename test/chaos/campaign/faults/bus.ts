/** A bus that is away, and a cluster that loses nodes. */
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager, type StreamInfo } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { eventStreamName } from '../../../../server/bus/subjects.ts';
import { eventually } from '../../../support/base/eventually.ts';
import type { ClusterNode } from '../../../support/base/nats-cluster.ts';
import type { Run } from '../../harness/run.ts';
import type { World } from '../world.ts';
import { type Fault, seconds } from './fault.ts';

const RECOVERY_MS = 120_000;
/** Servers begin an election after 4 to 9 seconds without a leader. */
const ELECTION_MS = 20_000;

const busGone: Fault = {
  name: 'bus away for longer than a lease',
  fits: ({ clusteredBus }) => !clusteredBus,
  async inflict({ run }) {
    const { busProxy, leaseMs } = run.deployment;
    if (!busProxy) throw new Error('the bus is no single server');
    const port = busProxy.target;
    busProxy.aim(undefined);
    busProxy.cut();
    // Assignments come with heartbeats meanwhile.
    await Promise.all([delay(1.5 * leaseMs), run.progress(5)]);
    busProxy.aim(port);
    return `away for ${seconds(1.5 * leaseMs)}`;
  },
};

/** Kills nodes, for longer than a lease. `check` gets the leader before and the nodes that are left. */
function nodesKilled(
  name: string,
  victims: (nodes: readonly ClusterNode[], leader: ClusterNode, world: World) => readonly ClusterNode[],
  check: (leader: ClusterNode, alive: readonly ClusterNode[]) => Promise<string>,
  beforeStart: (node: ClusterNode) => Promise<void> = async () => {},
): Fault {
  return {
    name,
    fits: ({ clusteredBus }) => clusteredBus,
    async inflict(world) {
      const { run } = world;
      const nodes = nodesOf(run);
      const leader = await wholeStream(nodes);
      const dead = victims(nodes, leader, world);
      await Promise.all(dead.map((node) => node.kill()));
      // Assignments come with heartbeats if need be.
      await Promise.all([delay(1.5 * run.deployment.leaseMs), run.progress(10)]);
      const alive = nodes.filter((node) => !dead.includes(node));
      const measured = await check(leader, alive);
      for (const node of dead) {
        await beforeStart(node);
        node.start();
      }
      const start = performance.now();
      await wholeStream(nodes);
      return `${measured}; whole ${seconds(performance.now() - start)} after the start`;
    },
  };
}

function nodesOf({ deployment }: Run): readonly ClusterNode[] {
  if (!deployment.busCluster) throw new Error('the bus is no cluster');
  return deployment.busCluster.nodes;
}

/** Waits until each node has all of the stream. Resolves with its leader. */
function wholeStream(nodes: readonly ClusterNode[]): Promise<ClusterNode> {
  const leaderOfWhole = async () => {
    const { cluster } = (await streamAt(nodes)) ?? {};
    const copies = cluster?.replicas?.filter(({ current }) => current).length ?? 0;
    return copies === nodes.length - 1 ? nodes.find(({ name }) => name === cluster?.leader) : undefined;
  };
  const options = { timeoutMs: RECOVERY_MS, everyMs: 200 };
  return eventually('each node has all of the stream of events', leaderOfWhole, options);
}

/** Undefined: no node answers. */
async function streamAt(nodes: readonly ClusterNode[]): Promise<StreamInfo | undefined> {
  const connection = await connect({ servers: nodes.map(({ url }) => url) });
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false });
    return await manager.streams.info(eventStreamName).catch(() => undefined);
  } finally {
    await connection.close();
  }
}

async function hasOtherLeader(leader: ClusterNode, alive: readonly ClusterNode[]): Promise<string> {
  const found = async () => {
    const name = (await streamAt(alive))?.cluster?.leader;
    return name !== undefined && alive.some((node) => node.name === name) ? name : undefined;
  };
  const other = await eventually('the stream of events has a leader', found, { timeoutMs: ELECTION_MS, everyMs: 200 });
  return `led by ${leader.name}, then by ${other}`;
}

/** A leader that is left knows only after some seconds that it leads nobody. The rest may answer, without a leader. */
async function hasNoLeader(_: ClusterNode, alive: readonly ClusterNode[]): Promise<string> {
  const isLost = async () => (await streamAt(alive))?.cluster?.leader === undefined;
  await eventually('the stream of events has no leader', isLost, { timeoutMs: ELECTION_MS, everyMs: 200 });
  return 'a stream without a leader';
}

export const busFaults: readonly Fault[] = [
  busGone,
  nodesKilled('leader of the bus cluster killed', (_, leader) => [leader], hasOtherLeader),
  nodesKilled(
    'two of three nodes of the bus cluster killed, with the leader',
    // A leader that is left would know of its loss only after some seconds.
    (nodes, leader, { dice }) => [leader, dice.pick(nodes.filter((node) => node !== leader))],
    hasNoLeader,
  ),
  nodesKilled(
    'node of the bus cluster killed, and its store lost',
    (nodes, leader, { dice }) => [dice.pick([leader, ...nodes])],
    hasOtherLeader,
    (node) => node.loseStore(),
  ),
];
