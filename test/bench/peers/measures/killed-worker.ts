/** From the kill of a worker to the start of its job on another one. */
import type { Measure } from '../measure.ts';

const now = () => performance.timeOrigin + performance.now();

export const killedWorker: Measure = {
  name: 'killed-worker',
  title: 'Kill of a worker to the start of its job on another one',
  columns: { seconds: { title: 'time', unit: 's', better: 'lower' } },
  together: true,
  async run(running, scale, progress) {
    const victim = await running.worker('watched');
    const started = victim.next('started');
    await running.submit({ queue: 'watched', kind: 'hold' });
    await started;
    const heir = await running.worker('watched');
    const again = heir.next('started', scale.detectionSeconds * 1000);
    const killed = now();
    await victim.kill();
    progress('killed');
    return { seconds: ((await again) - killed) / 1000 };
  },
};
