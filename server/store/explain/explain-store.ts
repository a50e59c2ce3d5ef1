/** The store's port for explanations, on one database. */
import type { ExplainStore } from '../../engine/ports/explanations.ts';
import { readReservations } from '../dispatch/reservations.ts';
import { readTaken } from '../dispatch/taken-resources.ts';
import type { Session } from '../driver/database.ts';
import { readWaitingLanes } from '../upkeep/backlog-lanes.ts';
import { readRunning } from '../workflows/workflow-rows.ts';
import { countBefore, readFirst, readQueueLanes, readRun } from './explain-jobs.ts';
import { readLimitBlockers, readLimits, readSuspects } from './explain-limits.ts';

export function explainStore(session: Session): ExplainStore {
  return {
    readRun: (jobId) => readRun(session, jobId),
    readQueueLanes: (queue, laneId, limit) => readQueueLanes(session, queue, laneId, limit),
    countBefore: (query, most) => countBefore(session, query, most),
    readFirst: (query) => readFirst(session, query),
    readLimits: (query) => readLimits(session, query),
    readLimitBlockers: (query, reason) => readLimitBlockers(session, query, reason),
    readSuspects: (sessionIds, butJobId) => readSuspects(session, sessionIds, butJobId),
    readCapacityInUse: async (laneId, sessionIds) => {
      const taken = await readTaken(session, sessionIds);
      const { reserved } = await readReservations(session, laneId, sessionIds);
      return { taken, reserved };
    },
    readWorkflow: (jobId, steps) => readRunning(session, jobId, steps),
    readWaitingLanes: (limit) => readWaitingLanes(session, limit),
  };
}
