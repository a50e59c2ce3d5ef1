/** From the due time of a job to the start of its handler, at half of the rate that the peer reaches. */
import { quantile } from '../../measures.ts';
import type { Measure } from '../measure.ts';
import type { RunningPeer } from '../running-peer.ts';
import type { PeerWorker } from '../worker.ts';
import { steadyRate } from './whole-life.ts';

/** The rate that is the same for every peer, in jobs per second. */
const SAME_RATE = 500;

async function waitsAt(running: RunningPeer, worker: PeerWorker, rate: number, seconds: number): Promise<number[]> {
  const before = worker.handled;
  worker.takeWaits();
  await running.submitSteadily({ queue: 'main', kind: 'clock', rate, seconds });
  await worker.untilHandled(before + Math.round(rate * seconds));
  await running.waitIdle('main');
  return worker.takeWaits();
}

export const halfLoad: Measure = {
  name: 'half-load',
  title: "Due time to the start of the handler, at half of the peer's own rate, and at the same rate for all",
  columns: {
    p50: { title: 'half load, p50', unit: 'ms', better: 'lower' },
    p99: { title: 'half load, p99', unit: 'ms', better: 'lower' },
    rate: { title: 'at', unit: 'jobs/s' },
    sameP50: { title: `${SAME_RATE} jobs/s, p50`, unit: 'ms', better: 'lower' },
    sameP99: { title: `${SAME_RATE} jobs/s, p99`, unit: 'ms', better: 'lower' },
  },
  async run(running, scale, progress) {
    const worker = await running.worker('main');
    progress('its full rate');
    const rate = Math.round((await steadyRate(running, worker, scale)) / 2);
    progress(`${rate} jobs/s`);
    const half = await waitsAt(running, worker, rate, scale.seconds * 2);
    progress(`${SAME_RATE} jobs/s`);
    // Jobs would only pile up at a slower peer.
    const same = rate * 2 > SAME_RATE ? await waitsAt(running, worker, SAME_RATE, scale.seconds * 2) : [];
    return {
      rate,
      p50: quantile(half, 0.5),
      p99: quantile(half, 0.99),
      sameP50: quantile(same, 0.5),
      sameP99: quantile(same, 0.99),
    };
  },
};
