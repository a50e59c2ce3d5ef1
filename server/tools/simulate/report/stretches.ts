/** When jobs waited and ran, as changes in order of time. */
import type { RecordedJob } from '../recorder.ts';

export interface Change {
  readonly atMs: number;
  readonly job: RecordedJob;
  readonly what: 'waits' | 'continues' | 'runs' | 'stops';
  /** Worker of the attempt that starts or stops; else -1. */
  readonly worker: number;
}

export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The periods for which a job was ready, until it was started, or ended, or the simulation ended. */
export function waitsOf({ readyMs, attempts, endMs }: RecordedJob, spanMs: number): Stretch[] {
  return readyMs.map((fromMs, at) => {
    const toMs = attempts[at]?.startMs ?? endMs ?? spanMs;
    return { fromMs: Math.min(fromMs, toMs), toMs };
  });
}

export function changesOf(jobs: readonly RecordedJob[], spanMs: number): Change[] {
  const changes: Change[] = [];
  for (const job of jobs) {
    for (const { fromMs, toMs } of waitsOf(job, spanMs)) {
      changes.push(
        { atMs: fromMs, job, what: 'waits', worker: -1 },
        { atMs: toMs, job, what: 'continues', worker: -1 },
      );
    }
    for (const { startMs, endMs = spanMs, worker } of job.attempts)
      changes.push({ atMs: startMs, job, what: 'runs', worker }, { atMs: endMs, job, what: 'stops', worker });
  }
  return changes.sort((a, b) => a.atMs - b.atMs);
}
