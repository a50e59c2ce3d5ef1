/** The store's port for lanes, claims, limits and turns, on one database. */
import type { DispatchStore, FairnessStore } from '../../engine/ports/dispatch.ts';
import type { LaneStore } from '../../engine/ports/lanes.ts';
import type { LimitStore } from '../../engine/ports/limits.ts';
import type { Session } from '../driver/database.ts';
import { claimJobs } from './claim-jobs.ts';
import { assignLocked, deferAtLimit, lockLimitedCandidates } from './claim-limited.ts';
import { readDeferredKeys, readWaitingKeys, requeueFirst } from './deferred-jobs.ts';
import {
  lockFairnessKeys,
  readFairLanes,
  readFirstOfFairLanes,
  readWaitingFairnessKeys,
  writeFairnessKeys,
} from './fairness-keys.ts';
import { readGatedLanes } from './gate-reasons.ts';
import { gateLanes } from './gated-lanes.ts';
import { lockKeyLimits, readOpenOfLimits, readUseOfKeys } from './key-limits.ts';
import {
  ensureQueueOfLane,
  insertLane,
  lockDefinitionOfLane,
  nameBreaker,
  readHeads,
  readHeadsOf,
  readLane,
  readLanes,
} from './lanes.ts';
import { lockLimitedLane, lockLimits, readLimitUse, takeRateUnits } from './limit-use.ts';
import {
  alignLimitedLanes,
  lockDefinitionVersions,
  lockLanesToLimit,
  readDefinitionLanes,
  readDefinitionLimits,
  setDefinitionLimits,
} from './limits.ts';
import { dropReservation, readReservations, renewReservations, requestReservation } from './reservations.ts';
import { findWithoutSuspect, lockForDemands, lockForSuspects } from './session-locks.ts';
import { readTaken } from './taken-resources.ts';

export function dispatchStore(session: Session): LaneStore & DispatchStore & LimitStore & FairnessStore {
  return {
    readLane: (key) => readLane(session, key),
    nameBreaker: (laneId, breaker) => nameBreaker(session, laneId, breaker),
    ensureQueueOfLane: (key) => ensureQueueOfLane(session, key),
    lockDefinitionOfLane: (key) => lockDefinitionOfLane(session, key),
    insertLane: (key, breaker) => insertLane(session, key, breaker),
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
    readDeferredKeys: (limitIds) => readDeferredKeys(session, limitIds),
    requeueFirst: (keys) => requeueFirst(session, keys),
    readLanes: (laneIds) => readLanes(session, laneIds),
    readGatedLanes: (laneIds) => readGatedLanes(session, laneIds),
    readHeads: (afterLaneId) => readHeads(session, afterLaneId),
    readHeadsOf: (laneIds) => readHeadsOf(session, laneIds),
    gateLanes: (laneIds, reason, isHeld) => gateLanes(session, laneIds, reason, isHeld),
    lockKeyLimits: (namespace, definitions) => lockKeyLimits(session, namespace, definitions),
    readOpenOfLimits: (limitIds) => readOpenOfLimits(session, limitIds),
    readUseOfKeys: (lane, limitIds) => readUseOfKeys(session, lane, limitIds),
    lockLimits: (lane) => lockLimits(session, lane),
    readLimitUse: (lane) => readLimitUse(session, lane),
    takeRateUnits: (taken, readUs) => takeRateUnits(session, taken, readUs),
    readWaitingKeys: (afterLimitId, limit) => readWaitingKeys(session, afterLimitId, limit),
    readDefinitionLimits: (namespace, definition) => readDefinitionLimits(session, namespace, definition),
    setDefinitionLimits: (namespace, definition, limits) => setDefinitionLimits(session, namespace, definition, limits),
    lockDefinitionVersions: (namespace, definition) => lockDefinitionVersions(session, namespace, definition),
    readDefinitionLanes: (namespace, definition) => readDefinitionLanes(session, namespace, definition),
    lockLanesToLimit: (laneIds) => lockLanesToLimit(session, laneIds),
    alignLimitedLanes: (laneIds) => alignLimitedLanes(session, laneIds),
    lockFairnessKeys: (keys) => lockFairnessKeys(session, keys),
    readWaitingFairnessKeys: (keys) => readWaitingFairnessKeys(session, keys),
    readFairLanes: (lanes) => readFairLanes(session, lanes),
    readFirstOfFairLanes: (laneIds) => readFirstOfFairLanes(session, laneIds),
    writeFairnessKeys: (keys) => writeFairnessKeys(session, keys),
  };
}
