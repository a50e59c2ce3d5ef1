/** Replicas and workers that are stopped and killed. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../../support/base/eventually.ts';
import type { ReplicaProcess } from '../../harness/replica-process.ts';
import { SHORT } from '../plan.ts';
import { notePromptness } from '../promptness.ts';
import { type Fault, require, seconds } from './fault.ts';

/** A timer may fire this much too early. */
const TIMER_MS = 5;

function isStopped({ pid, name }: ReplicaProcess): boolean {
  if (pid === undefined) throw new Error(`${name} does not run`);
  return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

function replicaStopped(leases: number): Fault {
  return {
    name: `replica stopped for ${leases} leases`,
    async inflict({ run, dice }) {
      const replica = dice.pick(run.deployment.replicas);
      replica.signal('SIGSTOP');
      await eventually(`${replica.name} is stopped`, () => isStopped(replica));
      const start = performance.now();
      // The others serve meanwhile.
      await Promise.all([delay(leases * run.deployment.leaseMs), run.progress(10)]);
      const took = performance.now() - start;
      replica.signal('SIGCONT');
      return require(took >= leases * run.deployment.leaseMs - TIMER_MS, `stopped for ${seconds(took)}`);
    },
  };
}

const replicasAway: Fault = {
  name: 'all replicas away for longer than a lease',
  endsReplicas: true,
  async inflict({ run, dice }) {
    const { replicas, leaseMs } = run.deployment;
    const start = performance.now();
    await Promise.all(replicas.map((replica) => replica.kill()));
    await delay(leaseMs * (1.2 + dice.next()));
    const took = performance.now() - start;
    await Promise.all(replicas.map((replica) => replica.start()));
    return require(took > leaseMs, `away for ${seconds(took)}`);
  },
};

const workerKilled: Fault = {
  name: 'worker killed, and nothing else',
  async inflict(world) {
    // An earlier fault may have made a gap: then replicas wait for a lease.
    await Promise.all([delay(1.5 * world.run.deployment.leaseMs), world.run.progress(5)]);
    return `its lapse was noticed ${await notePromptness(world, 10)}`;
  },
};

export const replicaFaults: readonly Fault[] = [
  replicaStopped(0.5),
  replicaStopped(2),
  // Too long with the default lease.
  { ...replicaStopped(10), fits: ({ leaseMs }) => leaseMs === SHORT.leaseMs },
  replicasAway,
  workerKilled,
];
