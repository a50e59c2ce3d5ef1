/** A failover of PostgreSQL. */

import { eventually } from '../../../support/base/eventually.ts';
import type { ReplicaProcess } from '../../harness/replica-process.ts';
import { type Fault, seconds } from './fault.ts';

const RESTART_MS = 120_000;
const RESTARTED = /gRPC\s+\S+:\d+/;

const standbyPromoted: Fault = {
  name: 'synchronous standby promoted',
  fits: ({ standby }) => standby,
  async inflict({ run, expectedErrors }) {
    const { moving, replicas } = run.deployment;
    if (!moving) throw new Error('the database has no standby');
    expectedErrors.push(/history/);
    const restarted = allRestart(replicas);
    await moving.failOver(() => run.progress(20));
    const start = performance.now();
    await restarted();
    return `each of ${replicas.length} replicas started anew within ${seconds(performance.now() - start)}`;
  },
};

/** What it returns waits until each replica has started anew since the call, in its process. */
export function allRestart(replicas: readonly ReplicaProcess[]): () => Promise<void> {
  const before = replicas.map(countOfStarts);
  const areAnew = () => replicas.every((replica, n) => countOfStarts(replica) > (before[n] ?? 0));
  return async () => {
    await eventually('each replica has started anew', areAnew, { timeoutMs: RESTART_MS });
  };
}

function countOfStarts({ lines }: ReplicaProcess): number {
  return lines.filter((line) => RESTARTED.test(line)).length;
}

export const failoverFaults: readonly Fault[] = [standbyPromoted];
