/** How long a job of one queue waits while another queue has far more work than the worker can do. */
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../../measures.ts';
import type { Measure } from '../measure.ts';
import { steadyRate } from './whole-life.ts';

const PROBE_EVERY_MS = 50;
const MIN_PROBES = 8;
/** Multiple of the jobs that the worker can do during the probes, with submissions; it does far more alone. */
const EXCESS = 5;

export const overload: Measure = {
  name: 'overload',
  title: 'Submission to the start of the handler in one queue while another has more work than the worker can do',
  columns: {
    p50: { title: 'p50', unit: 'ms', better: 'lower' },
    max: { title: 'max', unit: 'ms', better: 'lower' },
    probes: { title: 'probes', unit: 'jobs' },
  },
  async run(running, scale, progress) {
    const first = await running.worker('main');
    const rate = await steadyRate(running, first, scale);
    await first.stop();
    const count = Math.round(rate * scale.seconds * EXCESS);
    progress(`${count} jobs into the other queue`);
    await running.submitMany({ queue: 'main', kind: 'nothing', count, batch: 500, width: 4 });
    const worker = await running.worker('main', 'other');
    await worker.untilHandled(1);
    progress('probes');
    const end = performance.now() + scale.seconds * 1000;
    let probes = 0;
    while (performance.now() < end && worker.handled < count) {
      await running.submit({ queue: 'other', kind: 'clock' });
      probes++;
      await delay(PROBE_EVERY_MS);
    }
    if (probes < MIN_PROBES) throw new Error(`the flood was over after ${probes} probes`);
    await worker.untilHandled(count + probes);
    const waits = worker.takeWaits();
    return { p50: quantile(waits, 0.5), max: quantile(waits, 1), probes: waits.length };
  },
};
