/** A job that waits for its first attempt. */
import type { OpenRun } from '../../../../server/domain/jobs/run.ts';
import { noLimits } from '../../../../server/domain/jobs/time-limits.ts';

export const NOW_US = 1_795_000_000_000_000;

export function runOf(changes: Partial<OpenRun> = {}): OpenRun {
  return {
    jobId: '0198c0de-0000-7000-8000-000000000001',
    laneId: 1,
    state: 'READY',
    rank: NOW_US - 5_000_000,
    priority: 0,
    attempt: 0,
    attemptCount: 0,
    sessionId: null,
    assignTimeUs: null,
    dueTimeUs: null,
    expireTimeUs: null,
    runTimeUs: null,
    createTimeUs: NOW_US - 5_000_000,
    consecutiveLosses: 0,
    totalLosses: 0,
    failures: 0,
    limits: noLimits,
    suspectLosses: 0,
    releases: 0,
    releasesSinceUs: null,
    suspensions: 0,
    timeoutsStopped: false,
    suspension: null,
    reason: null,
    runTimeoutMs: 60_000,
    retryPolicy: null,
    fairnessKey: null,
    limitId: null,
    parentJobId: null,
    unmetDependencies: 0,
    children: 0,
    notifiesDependents: false,
    ...changes,
  };
}
