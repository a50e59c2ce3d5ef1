/** From the call that submits a job to the start of its handler, one job after the other. */
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../../measures.ts';
import type { Measure } from '../measure.ts';
import type { RunningPeer } from '../running-peer.ts';
import type { PeerWorker } from '../worker.ts';

const WARM_UP_SAMPLES = 20;
const LOST_MS = 60_000;

async function sample(running: RunningPeer, worker: PeerWorker): Promise<number> {
  await delay(5 + 20 * Math.random());
  const before = worker.handled;
  await running.submit({ queue: 'main', kind: 'clock' });
  await worker.untilHandled(before + 1, LOST_MS);
  return worker.takeWaits()[0] as number;
}

export const idleLatency: Measure = {
  name: 'idle-latency',
  title: 'Submission to the start of the handler, nothing else to do, pauses of 5 to 25 ms',
  columns: {
    p50: { title: 'p50', unit: 'ms', better: 'lower' },
    p99: { title: 'p99', unit: 'ms', better: 'lower' },
  },
  async run(running, scale, progress) {
    const worker = await running.worker('main');
    const waits: number[] = [];
    progress('warm-up');
    for (let i = 0; i < WARM_UP_SAMPLES; i++) await sample(running, worker);
    const end = performance.now() + scale.latencySeconds * 1000;
    progress(`${scale.samples} jobs`);
    while (waits.length < scale.samples && performance.now() < end) waits.push(await sample(running, worker));
    return { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99) };
  },
};
