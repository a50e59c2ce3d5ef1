/** Failovers of PostgreSQL. */

import { eventually } from '../../../support/base/eventually.ts';
import type { ReplicaProcess } from '../../harness/replica-process.ts';
import { type Fault, require, seconds } from './fault.ts';

const RESTART_MS = 120_000;
const TAIL_JOBS = 30;
const HISTORY = /history/;
const RESTARTED = /gRPC\s+\S+:\d+/;

const standbyPromoted: Fault = {
  name: 'synchronous standby promoted',
  fits: ({ standby }) => standby,
  async inflict({ run, expectedErrors }) {
    const { moving, replicas } = run.deployment;
    if (!moving) throw new Error('the database has no standby');
    expectedErrors.push(HISTORY);
    const anew = restartsOf(replicas);
    await moving.failOver(() => run.progress(20));
    return `each of ${replicas.length} replicas started anew within ${await anew()}`;
  },
};

const tailLost: Fault = {
  name: 'asynchronous standby promoted, and the last commits lost',
  losesTail: true,
  async inflict(world) {
    const { run, expectedErrors } = world;
    const { moving, replicas } = run.deployment;
    if (!moving) throw new Error('the database has no standby');
    expectedErrors.push(HISTORY);
    const anew = restartsOf(replicas);
    const from = await moving.loseTail(() => run.progress(TAIL_JOBS));
    const took = await anew();
    world.lostTail = { from, to: Date.now() };
    const stored = await run.facts.definitions();
    const lost = run.load.accepted.filter((job) => !stored.has(job)).length;
    return require(lost >
      0, `${lost} accepted jobs lost; each of ${replicas.length} replicas started anew within ${took}`);
  },
};

/** The same, with the time that it took. */
function restartsOf(replicas: readonly ReplicaProcess[]): () => Promise<string> {
  const restarted = allRestart(replicas);
  return async () => {
    const start = performance.now();
    await restarted();
    return seconds(performance.now() - start);
  };
}

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

export const failoverFaults: readonly Fault[] = [standbyPromoted, tailLost];
