/** Jobs a second from the first submission until the last completion is recorded. */
import type { Measure, Scale } from '../measure.ts';
import type { RunningPeer } from '../running-peer.ts';
import type { PeerWorker } from '../worker.ts';

const WARM_UP_JOBS = 2_000;
const LEAST_JOBS = 500;

export interface Submission {
  readonly count: number;
  readonly batch: number;
  readonly width: number;
}

/** @throws Error unless each job has run exactly once, and the store has recorded the end of each. */
export async function wholeLife(running: RunningPeer, worker: PeerWorker, submission: Submission): Promise<number> {
  const goal = worker.handled + submission.count;
  const start = performance.now();
  await running.submitMany({ queue: 'main', kind: 'nothing', ...submission });
  await worker.untilHandled(goal);
  await running.waitIdle('main');
  const seconds = (performance.now() - start) / 1000;
  if (worker.handled !== goal)
    throw new Error(`${running.peer.name} ran ${worker.handled - goal} jobs more than were submitted`);
  return submission.count / seconds;
}

/** The same over about the seconds of the scale, after a warm-up that tells how many jobs those are. */
export async function steadyRate(running: RunningPeer, worker: PeerWorker, scale: Scale, batch = 500): Promise<number> {
  const width = batch === 500 ? 4 : 8;
  const warm = await wholeLife(running, worker, { count: Math.round(WARM_UP_JOBS * scale.seconds), batch, width });
  const count = Math.max(LEAST_JOBS, Math.round(warm * scale.seconds));
  return wholeLife(running, worker, { count, batch, width });
}

export const wholeLifeMeasure: Measure = {
  name: 'whole-life',
  title: 'Whole life of a job: submitted, run, its completion recorded',
  columns: {
    by500: { title: 'batches of 500', unit: 'jobs/s', better: 'higher' },
    by100: { title: 'batches of 100', unit: 'jobs/s', better: 'higher' },
  },
  repeated: true,
  async run(running, scale, progress) {
    const worker = await running.worker('main');
    progress('batches of 500');
    const by500 = await steadyRate(running, worker, scale, 500);
    progress('batches of 100');
    return { by500, by100: await steadyRate(running, worker, scale, 100) };
  },
};
