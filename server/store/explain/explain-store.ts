/** The store's port for explanations, on one database. */
import type { ExplainStore } from '../../engine/ports/explanations.ts';
import type { Session } from '../driver/database.ts';
import { readWaitingLanes } from '../upkeep/backlog-lanes.ts';
import { readRunningCompensation, readRunningSteps } from '../workflows/workflow-rows.ts';
import { countBefore, readFirst, readQueueLanes, readRun } from './explain-jobs.ts';
import { readKeyUse, readLimitBlockers, readSuspects } from './explain-limits.ts';

export function explainStore(session: Session): ExplainStore {
  return {
    readRun: (jobId) => readRun(session, jobId),
    readQueueLanes: (queue, laneId, limit) => readQueueLanes(session, queue, laneId, limit),
    countBefore: (query, most) => countBefore(session, query, most),
    readFirst: (query) => readFirst(session, query),
    readKeyUse: (limitId, maxHeld) => readKeyUse(session, limitId, maxHeld),
    readLimitBlockers: (query, reason) => readLimitBlockers(session, query, reason),
    readSuspects: (sessionIds, butJobId) => readSuspects(session, sessionIds, butJobId),
    readRunningSteps: (jobId, limit) => readRunningSteps(session, jobId, limit),
    readRunningCompensation: (jobId) => readRunningCompensation(session, jobId),
    readWaitingLanes: (limit) => readWaitingLanes(session, limit),
  };
}
