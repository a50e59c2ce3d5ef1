/** Jobs per second from the first submission until the last completion is recorded. */
import type { Measure, Scale } from '../measure.ts';
import type { RunningPeer } from '../running-peer.ts';
import type { PeerWorker } from '../worker.ts';

/** Assumed rate for the first part of the warm-up, in jobs per second. */
const FIRST_RATE = 1_000;
const MIN_JOBS = 500;

export interface Submission {
  readonly count: number;
  readonly batch: number;
  readonly width: number;
}

/** @throws Error unless each job has run exactly once and the store has recorded the end of each. */
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

/**
 * The rate over about the seconds of the scale, after a warm-up of at least as long: a process is slow at first, and
 * some peers have several.
 */
export async function steadyRate(running: RunningPeer, worker: PeerWorker, scale: Scale, batch = 500): Promise<number> {
  const width = batch === 500 ? 4 : 8;
  const jobsIn = (rate: number, seconds: number) => Math.max(MIN_JOBS, Math.round(rate * seconds));
  const warm = performance.now() + scale.seconds * 1000;
  let rate = FIRST_RATE;
  while (performance.now() < warm)
    rate = await wholeLife(running, worker, { count: jobsIn(rate, scale.seconds / 2), batch, width });
  return wholeLife(running, worker, { count: jobsIn(rate, scale.seconds), batch, width });
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
