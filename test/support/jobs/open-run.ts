/** The run of a job as the decisions of the domain take it. */
import type { OpenRun } from '../../../server/domain/jobs/run.ts';
import { noLimits } from '../../../server/domain/jobs/time-limits.ts';

const JOB_ID = '0198c0de-0000-7000-8000-000000000001';
export const SESSION_ID = '0198c0de-0000-4000-8000-000000000001';

/** A job that waits for its first attempt, unless `changes` says otherwise. */
export function openRunAt(createTimeUs: number, changes: Partial<OpenRun> = {}): OpenRun {
  return {
    jobId: JOB_ID,
    laneId: 1,
    state: 'READY',
    rank: createTimeUs,
    priority: 0,
    attempt: 0,
    attemptCount: 0,
    sessionId: null,
    assignTimeUs: null,
    dueTimeUs: null,
    expireTimeUs: null,
    limits: noLimits,
    timeoutsStopped: false,
    suspension: null,
    begun: false,
    pausedWithParent: false,
    exhausted: false,
    retriesSinceUs: null,
    runTimeUs: null,
    createTimeUs,
    consecutiveLosses: 0,
    suspectLosses: 0,
    totalLosses: 0,
    failures: 0,
    releases: 0,
    releasesSinceUs: null,
    suspensions: 0,
    reason: null,
    runTimeoutMs: 1_000,
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
