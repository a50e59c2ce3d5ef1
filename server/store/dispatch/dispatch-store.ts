/** The store's port for claims, on one database. */
import type { DispatchStore } from '../../engine/ports/dispatch.ts';
import type { Session } from '../driver/database.ts';
import { claimJobs } from './claim-jobs.ts';
import { assignLocked, deferAtLimit, lockLimitedCandidates } from './claim-limited.ts';
import { lockLimitedLane } from './limit-use.ts';
import { dropReservation, readReservations, renewReservations, requestReservation } from './reservations.ts';
import { findWithoutSuspect, lockForDemands, lockForSuspects } from './session-locks.ts';
import { readTaken } from './taken-resources.ts';

export function dispatchStore(session: Session): DispatchStore {
  return {
    claimJobs: (claim) => claimJobs(session, claim),
    lockLimitedLane: (laneId, sessionIds, passed) => lockLimitedLane(session, laneId, sessionIds, passed),
    lockLimitedCandidates: (lane, limit, maxHeld) => lockLimitedCandidates(session, lane, limit, maxHeld),
    assignLocked: (jobIds, permits) => assignLocked(session, jobIds, permits),
    deferAtLimit: (jobIds, limits) => deferAtLimit(session, jobIds, limits),
    lockForSuspects: (sessionIds) => lockForSuspects(session, sessionIds),
    findWithoutSuspect: (sessionIds) => findWithoutSuspect(session, sessionIds),
    lockForDemands: (sessionIds) => lockForDemands(session, sessionIds),
    readTaken: (sessionIds) => readTaken(session, sessionIds),
    readReservations: (laneId, sessionIds) => readReservations(session, laneId, sessionIds),
    requestReservation: (laneId, reservation) => requestReservation(session, laneId, reservation),
    dropReservation: (laneId) => dropReservation(session, laneId),
    renewReservations: () => renewReservations(session),
  };
}
