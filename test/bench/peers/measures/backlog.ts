/** What a job costs while very many wait: the time for each of the jobs that a worker ends, and nobody submits. */
import type { Measure, Scale } from '../measure.ts';
import type { RunningPeer } from '../running-peer.ts';
import type { PeerWorker } from '../worker.ts';

const PAGE = 10_000;
const CALL = { queue: 'main', kind: 'nothing', batch: 500, width: 4 } as const;
/** Jobs with which the cost is compared, and how many of them warm up the worker. */
const FEW = 20_000;
const WARM_UP = 2_000;
const SAMPLE_SECONDS = 10;

/** Submits until so many wait or the time is over; answers how many. */
async function fill(running: RunningPeer, { backlog, backlogSeconds }: Scale, progress: (text: string) => void) {
  const end = performance.now() + backlogSeconds * 1000;
  let waiting = 0;
  while (waiting < backlog && performance.now() < end) {
    await running.submitMany({ ...CALL, count: PAGE });
    waiting += PAGE;
    if (waiting % 100_000 === 0) progress(`${waiting} wait`);
  }
  return waiting;
}

/** Microseconds a job, over so many jobs or what is done within ten seconds. */
async function cost(worker: PeerWorker, jobs: number): Promise<number> {
  await worker.untilHandled(WARM_UP);
  const from = worker.handled;
  const start = performance.now();
  const goal = Math.min(from + jobs, FEW);
  while (worker.handled < goal && performance.now() - start < SAMPLE_SECONDS * 1000) await worker.untilMore();
  return ((performance.now() - start) * 1000) / (worker.handled - from);
}

export const backlog: Measure = {
  name: 'backlog',
  title: 'Cost of a job with 1,000,000 waiting',
  columns: {
    many: { title: 'with them', unit: 'µs', better: 'lower' },
    few: { title: `with ${FEW.toLocaleString('en')}`, unit: 'µs', better: 'lower' },
    waiting: { title: 'waiting', unit: 'jobs' },
  },
  async run(running, scale, progress) {
    progress('few jobs');
    await running.submitMany({ ...CALL, count: FEW });
    const first = await running.worker('main');
    const few = await cost(first, FEW - WARM_UP);
    await first.untilHandled(FEW);
    await running.waitIdle('main');
    await first.stop();
    const waiting = await fill(running, scale, progress);
    progress('working them off');
    const worker = await running.worker('main');
    return { many: await cost(worker, FEW - WARM_UP), few, waiting };
  },
};
