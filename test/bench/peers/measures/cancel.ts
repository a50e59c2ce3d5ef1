/** From the call that cancels a running job to the signal in its handler. */
import { quantile } from '../../measures.ts';
import type { Measure } from '../measure.ts';

const SAMPLES = 30;

export const cancel: Measure = {
  name: 'cancel',
  title: 'Cancel to the running handler, one job after the other',
  columns: {
    p50: { title: 'p50', unit: 'ms', better: 'lower' },
    max: { title: 'max', unit: 'ms', better: 'lower' },
    samples: { title: 'samples', unit: 'jobs' },
  },
  unable: (peer) => peer.noCancel,
  async run(running, scale, progress) {
    const worker = await running.worker('watched');
    const times: number[] = [];
    const end = performance.now() + scale.latencySeconds * 1000;
    progress(`${SAMPLES} jobs`);
    while (times.length < SAMPLES && performance.now() < end) {
      const started = worker.next('started');
      const { job } = await running.submit({ queue: 'watched', kind: 'hold' });
      await started;
      const stopped = worker.next('stopped');
      const asked = await running.cancel('watched', job);
      times.push((await stopped) - asked);
    }
    return { p50: quantile(times, 0.5), max: quantile(times, 1), samples: times.length };
  },
};
