/** Replicas with little memory and little processor time. */
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../../support/base/eventually.ts';
import { ControlGroup } from '../../harness/machine/control-group.ts';
import { addressOf } from '../../harness/network/line.ts';
import type { ReplicaProcess } from '../../harness/replica-process.ts';
import { submitLarge } from './clients.ts';
import { type Fault, require } from './fault.ts';

const MEBIBYTE = 2 ** 20;
const MEMORY_MIB = 256;
const MEMORY_LEASES = 3;
/** So much longer at most, until enough of it is in use. */
const LARGE_MS = 60_000;
/** Of the limit. Page cache counts, too, and is given back where the limit is near. */
const MIN_USE = 0.7;
/** Above what the replica's own pages take: the load soon takes more. */
const SPARE_MIB = 4;
const NO_SWAP = { 'memory.swappiness': 0 };
const KILL_MS = 120_000;
const PERIOD_US = 100_000;
const QUOTA_US = PERIOD_US / 5;
const PROCESSOR_LEASES = 3;
const MIN_THROTTLED = 5;

const memoryShort: Fault = {
  name: `replica with ${MEMORY_MIB} MiB of memory for three leases, and calls of 3 MiB`,
  endsReplicas: true,
  lack: () => ControlGroup.lack('memory'),
  async inflict({ run, dice }) {
    const replica = dice.pick(run.deployment.replicas);
    const limit = MEMORY_MIB * MEBIBYTE;
    const group = new ControlGroup('memory', { ...NO_SWAP, 'memory.limit_in_bytes': limit });
    // While the replica is away, the others take the calls.
    const address = addressOf([replica, ...run.deployment.replicas].map(({ proxy }) => proxy.port));
    let ends = 0;
    await replica.end();
    try {
      await replica.start('', group.launcher);
      const until = performance.now() + MEMORY_LEASES * run.deployment.leaseMs;
      const isNear = () => group.number('memory.max_usage_in_bytes') >= MIN_USE * limit;
      while (performance.now() < until || (!isNear() && performance.now() < until + LARGE_MS)) {
        if (isNear()) await run.progress(10);
        else await submitLarge(run, address);
        if (replica.alive) continue;
        // As under any supervisor.
        ends++;
        await replica.start('', group.launcher);
      }
      const use = group.number('memory.max_usage_in_bytes') / MEBIBYTE;
      const refusals = group.number('memory.failcnt');
      const what = `up to ${Math.round(use)} MiB, ${refusals} times at the limit, ended ${ends} times`;
      return require(use * MEBIBYTE >= MIN_USE * limit, what);
    } finally {
      await startAnew(replica);
      await group.remove();
    }
  },
};

const memoryGone: Fault = {
  name: 'replica killed for want of memory',
  endsReplicas: true,
  lack: () => ControlGroup.lack('memory'),
  async inflict({ run, dice }) {
    const replica = dice.pick(run.deployment.replicas);
    const group = new ControlGroup('memory', NO_SWAP);
    await replica.end();
    try {
      await replica.start('', group.launcher);
      await run.progress(10);
      const limitMib = await eventually('little memory is left', () => leaveLittle(group), { everyMs: 20 });
      await eventually('it is killed', () => !replica.alive, { timeoutMs: KILL_MS, everyMs: 50 });
      const kills = group.number('memory.oom_control', 'oom_kill');
      await run.progress(10);
      return require(kills > 0, `killed by the kernel at ${limitMib} MiB`);
    } finally {
      await startAnew(replica);
      await group.remove();
    }
  },
};

/** The kernel refuses a limit that is below what it can't take back. Resolves with the limit in MiB. */
function leaveLittle(group: ControlGroup): number {
  const needed = group.number('memory.stat', 'total_rss') + group.number('memory.kmem.usage_in_bytes');
  const limit = needed + SPARE_MIB * MEBIBYTE;
  group.set('memory.limit_in_bytes', limit);
  return Math.round(limit / MEBIBYTE);
}

async function startAnew(replica: ReplicaProcess): Promise<void> {
  await replica.end();
  await replica.start();
}

const processorShort: Fault = {
  name: 'replica with a fifth of a core for three leases',
  lack: () => ControlGroup.lack('cpu'),
  async inflict({ run, dice }) {
    const { pid } = dice.pick(run.deployment.replicas);
    if (pid === undefined) throw new Error('the replica does not run');
    const group = new ControlGroup('cpu', { 'cpu.cfs_period_us': PERIOD_US, 'cpu.cfs_quota_us': QUOTA_US });
    try {
      group.take(pid);
      await Promise.all([delay(PROCESSOR_LEASES * run.deployment.leaseMs), run.progress(20)]);
      const throttled = group.number('cpu.stat', 'nr_throttled');
      const periods = group.number('cpu.stat', 'nr_periods');
      return require(throttled >= MIN_THROTTLED, `throttled in ${throttled} of ${periods} periods`);
    } finally {
      await group.remove();
    }
  },
};

export const resourceFaults: readonly Fault[] = [memoryShort, memoryGone, processorShort];
