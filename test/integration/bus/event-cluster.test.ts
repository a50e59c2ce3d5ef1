/** The event stream in a NATS cluster that loses nodes. */
import { randomUUID } from 'node:crypto';
import { type JetStreamManager, jetstreamManager, type StreamConfig } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ConnectedBus, connectBus } from '../../../server/bus/connect-bus.ts';
import { eventStreamName } from '../../../server/bus/subjects.ts';
import { uuidToBytes } from '../../../server/domain/base/uuid.ts';
import type { EventBatch } from '../../../server/engine/ports/events.ts';
import { quietLog } from '../../support/base/nats.ts';
import { type ClusterNode, makeCluster, type NatsCluster } from '../../support/base/nats-cluster.ts';

const READY = { timeout: 60_000, interval: 100 };

let cluster: NatsCluster;
let buses: ConnectedBus[];

beforeEach(async () => {
  cluster = await makeCluster();
  buses = [];
});

afterEach(async () => {
  for (const bus of buses) await bus.close();
  await cluster?.stop();
});

async function connectTo(nodes: readonly ClusterNode[]): Promise<ConnectedBus> {
  const bus = await connectBus({
    mode: 'external',
    urls: nodes.map(({ url }) => url),
    firstConnectMs: 30_000,
    nowMs: Date.now,
    log: quietLog,
  });
  buses.push(bus);
  return bus;
}

async function infoFrom(node: ClusterNode) {
  return withManager(node, (manager) => manager.streams.info(eventStreamName));
}

async function withManager<T>(node: ClusterNode, work: (manager: JetStreamManager) => Promise<T>): Promise<T> {
  const connection = await connect({ servers: node.url });
  try {
    return await work(await jetstreamManager(connection, { checkAPI: false }));
  } finally {
    await connection.close();
  }
}

function batch(): EventBatch {
  const change = { definition: 'd', revision: 1, attempt: 0, previousState: undefined, state: 'READY' } as const;
  const jobIds = Buffer.from(uuidToBytes(randomUUID()));
  return {
    batchId: randomUUID(),
    namespace: 'default',
    eventTimeUs: 1_772_366_400_000_000,
    changes: [{ ...change, failure: undefined, jobIds }],
  };
}

/** Publishes until it succeeds. Never taken for absent. */
async function publishes(bus: ConnectedBus): Promise<void> {
  const one = batch();
  const tryOnce = async () => {
    const done = await bus.events.publish(one).then(
      () => true,
      () => false,
    );
    expect(bus.events.isAbsent).toBe(false);
    return done;
  };
  await expect.poll(tryOnce, READY).toBe(true);
}

const isReady = (bus: ConnectedBus) => () =>
  bus.events.prepare().then(
    () => true,
    () => false,
  );

it('the stream has three copies and survives the loss of the node that leads it', { timeout: 180_000 }, async () => {
  for (const node of cluster.nodes) node.start();
  const bus = await connectTo(cluster.nodes);
  await expect.poll(isReady(bus), READY).toBe(true);
  const { config, cluster: group } = await infoFrom(cluster.nodes[0] as ClusterNode);
  expect(config.num_replicas).toBe(3);
  await publishes(bus);
  await cluster.nodes.find(({ name }) => name === group?.leader)?.kill();
  await publishes(bus);
});

it('a stream whose only node is lost is unavailable, not absent', { timeout: 180_000 }, async () => {
  for (const node of cluster.nodes) node.start();
  const [first] = cluster.nodes as [ClusterNode];
  const add = async () =>
    withManager(first, ({ streams }) =>
      streams.add({ name: eventStreamName, subjects: ['muster.v1.events.*'], num_replicas: 1 }),
    ).then(
      () => true,
      () => false,
    );
  await expect.poll(add, READY).toBe(true);
  const { cluster: group } = await infoFrom(first);
  const node = cluster.nodes.find(({ name }) => name === group?.leader) as ClusterNode;
  const bus = await connectTo(cluster.nodes.filter((one) => one !== node));
  await publishes(bus);
  await node.kill();
  for (let tries = 0; tries < 3; tries++) {
    await expect(bus.events.publish(batch())).rejects.toMatchObject({ reason: 'EVENTS_UNAVAILABLE' });
    expect(bus.events.isAbsent).toBe(false);
  }
  node.start();
  await publishes(bus);
});

it('a stream of one copy gets three once it can, unless it is not ours', { timeout: 180_000 }, async () => {
  for (const node of cluster.nodes) node.start();
  const [first] = cluster.nodes as [ClusterNode];
  const bus = await connectTo(cluster.nodes);
  await expect.poll(isReady(bus), READY).toBe(true);
  const copiesAfter = async (change: Partial<StreamConfig>) => {
    await withManager(first, ({ streams }) => streams.update(eventStreamName, change));
    const another = await connectTo([first]);
    await another.events.prepare();
    return (await infoFrom(first)).config.num_replicas;
  };
  expect(await copiesAfter({ num_replicas: 1 })).toBe(3);
  expect(await copiesAfter({ num_replicas: 1, metadata: {} })).toBe(1);
});

it('a stream has one copy in a cluster of two nodes', { timeout: 180_000 }, async () => {
  await cluster.stop();
  cluster = await makeCluster(2);
  for (const node of cluster.nodes) node.start();
  const bus = await connectTo(cluster.nodes);
  await expect.poll(isReady(bus), READY).toBe(true);
  expect((await infoFrom(cluster.nodes[0] as ClusterNode)).config.num_replicas).toBe(1);
});
