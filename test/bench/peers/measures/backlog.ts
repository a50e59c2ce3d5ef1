/** The cost of a job while very many wait: the time per job that a worker ends while nobody submits. */
import type { Measure, Scale } from '../measure.ts';
import type { RunningPeer } from '../running-peer.ts';
import type { PeerWorker } from '../worker.ts';

const PAGE = 10_000;
const CALL = { queue: 'main', kind: 'nothing', batch: 500, width: 4 } as const;
/** Jobs in the short backlog of the comparison, and how many of them warm up the worker. */
const FEW = 20_000;
const WARM_UP = 2_000;
const SAMPLE_SECONDS = 10;

/** Submits until so many jobs wait or the time is over. Returns their number. */
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

/** Microseconds per job, over that many jobs or those done within ten seconds. */
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
