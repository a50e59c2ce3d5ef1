/** The store: the engine's port on one database. */
import type { Store } from '../engine/store-port.ts';
import { type Database, within } from './database.ts';
import { ensurePartitions } from './partitions.ts';
import { RetentionRounds } from './retention.ts';
import { readLogs, saveLogs } from './statements/attempt-logs.ts';
import { listAudit } from './statements/audit-records.ts';
import { batchStore } from './statements/batches.ts';
import { queueStore } from './statements/change-queues.ts';
import { changeRuns } from './statements/change-runs.ts';
import { alignHeldLanes, changeBreakers, listBreakers } from './statements/circuit-breakers.ts';
import { claimDemanding } from './statements/claim-demanding.ts';
import { claimJobs } from './statements/claim-jobs.ts';
import { claimLimited, claimSuspects } from './statements/claim-suspects.ts';
import { listOffers, readOpenVersions } from './statements/compatibility.ts';
import { completeAttempts, readUnchecked } from './statements/complete-attempts.ts';
import {
  applyDefinition,
  archiveDefinition,
  findDefinition,
  listDefinitions,
  readDefinition,
} from './statements/definitions.ts';
import { dependencyStore } from './statements/dependency-walk.ts';
import { readEndedJobs } from './statements/ended-jobs.ts';
import { eraseJob } from './statements/erase-job.ts';
import { explainStore } from './statements/explain-store.ts';
import { FairRanks } from './statements/fair-ranks.ts';
import { deadlockStore } from './statements/handler-waits.ts';
import { observeAttempts, readAssigned, readHeld, saveProgress } from './statements/held-runs.ts';
import { findHeldKeys } from './statements/idempotency-keys.ts';
import { renewWaits } from './statements/lane-waits.ts';
import { ensureLane, findLane, readHeads, readLanes } from './statements/lanes.ts';
import { readLastWorkers } from './statements/last-workers.ts';
import { listJobs } from './statements/list-jobs.ts';
import { dropOutbox, finishOutbox, takeOutbox } from './statements/outbox.ts';
import { readWaitingKeys, unparkJobs } from './statements/parked-jobs.ts';
import { probeBreaker, readLanesToProbe, readOpenBreakers } from './statements/probe-breakers.ts';
import { findEnded, findJobs, readClosed, readJobs, readRevisions } from './statements/read-jobs.ts';
import { stepTraces } from './statements/read-links.ts';
import { readTracedJobs, readTraceOrigins } from './statements/read-traces.ts';
import { workflowReads } from './statements/read-workflow.ts';
import { keepPage, takeRequestId } from './statements/request-ids.ts';
import { readRetention, setRetention } from './statements/retentions.ts';
import { scheduleStore } from './statements/schedules.ts';
import { waitStore } from './statements/sent-events.ts';
import {
  closeSessions,
  endSessions,
  openSession,
  readLapse,
  readSessions,
  renewSessions,
} from './statements/sessions.ts';
import { stepCacheStore } from './statements/step-cache.ts';
import { submitCalls } from './statements/submit.ts';
import { findSubmission } from './statements/submit-answers.ts';
import { drainSession, heldJobs, listSessions, readWorker } from './statements/workers.ts';
import { workflowStore } from './statements/workflows.ts';

const readNow = { name: 'read_now', text: 'SELECT muster_now() AS now' };
const readPageTokenKey = {
  name: 'read_page_token_key',
  text: "SELECT key FROM deployment_keys WHERE purpose = 'page_tokens'",
};
const readNextDue = {
  name: 'read_next_due',
  text: 'SELECT min(due_time) AS due FROM job_runs WHERE due_time IS NOT NULL',
};

/** The schema must be up to date (see `migrate`). */
export function createStore(database: Database, fairRanks = new FairRanks()): Store {
  const retention = new RetentionRounds(database);
  const nowUs = async () => (await database.run(readNow, []))[0]?.now as number;
  return {
    nowUs,
    together: (work) => database.transaction((session) => work(createStore(within(session), fairRanks))),
    takeRequestId: (namespace, request) => takeRequestId(database, namespace, request),
    keepPage: (namespace, request, page) => keepPage(database, namespace, request, page),
    applyDefinition: (definition, contentHash, validateOnly) =>
      applyDefinition(database, definition, contentHash, validateOnly),
    readDefinition: (namespace, name, version) => readDefinition(database, namespace, name, version),
    findDefinition: (namespace, name, contentHash) => findDefinition(database, namespace, name, contentHash),
    listDefinitions: (query) => listDefinitions(database, query),
    archiveDefinition: (namespace, name) => archiveDefinition(database, namespace, name),
    listOffers: (namespace) => listOffers(database, namespace),
    readOpenVersions: (namespace, name, version) => readOpenVersions(database, namespace, name, version),
    readRetention: (namespace) => readRetention(database, namespace),
    setRetention: (namespace, retentionMs) => setRetention(database, namespace, retentionMs),
    findLane: (key, breaker) => findLane(database, key, breaker),
    ensureLane: (key, breaker) => ensureLane(database, key, breaker),
    readLanes: (laneIds) => readLanes(database, laneIds),
    readHeads: () => readHeads(database),
    submit: (calls, places = new Map(), limited) => submitCalls({ database, fairRanks }, calls, { places, limited }),
    findSubmission: (call) => findSubmission(database, call),
    findHeldKeys: (namespace, keys) => findHeldKeys(database, namespace, keys),
    findJobs: (jobIds) => findJobs(database, jobIds),
    claim: (claim) => claimJobs(database, claim),
    claimSuspects: (claim) => claimSuspects(database, claim),
    claimLimited: (claim, suspect) => claimLimited(database, claim, suspect),
    claimDemanding: (claim, suspect) => claimDemanding(database, claim, suspect),
    renewWaits: () => renewWaits(database),
    unpark: (limitIds) => unparkJobs(database, limitIds),
    readWaitingKeys: (afterLimitId, limit) => readWaitingKeys(database, afterLimitId, limit),
    changeBreakers: (keys, decide, make) => changeBreakers(database, keys, decide, make),
    listBreakers: (namespace, afterName, limit) => listBreakers(database, namespace, afterName, limit),
    readOpenBreakers: () => readOpenBreakers(database),
    readLanesToProbe: (key) => readLanesToProbe(database, key),
    probeBreaker: (key, claim, suspect) => probeBreaker(database, key, claim, suspect),
    alignHeldLanes: () => alignHeldLanes(database),
    complete: (completions, checked = false) => completeAttempts(database, completions, checked),
    readUnchecked: (attempts) => readUnchecked(database, attempts),
    readClosed: (attempts) => readClosed(database, attempts),
    change: (selection, decide) => changeRuns(database, fairRanks, selection, decide),
    nextDueUs: async () => (await database.run(readNextDue, []))[0]?.due ?? undefined,
    openSession: (session) => openSession(database, session),
    renewSessions: (beats, leaseMs) => renewSessions(database, beats, leaseMs),
    readSessions: (sessionIds) => readSessions(database, sessionIds),
    listSessions: (namespace, afterSessionId, limit) => listSessions(database, namespace, afterSessionId, limit),
    readWorker: (namespace, sessionId) => readWorker(database, namespace, sessionId),
    readHeldJobs: (sessionId, limit) => heldJobs(database, sessionId, limit),
    drainSession: (namespace, sessionId) => drainSession(database, namespace, sessionId),
    readHeld: (sessionId, whole) => readHeld(database, sessionId, whole),
    readAssigned: (attempts) => readAssigned(database, attempts),
    observe: (attempts) => observeAttempts(database, attempts),
    saveProgress: (changes) => saveProgress(database, changes),
    saveLogs: (logs) => saveLogs(database, logs),
    readLogs: (query) => readLogs(database, query),
    closeSessions: (sessionIds, how, lapsedForMs) => closeSessions(database, sessionIds, how, lapsedForMs),
    endSessions: (sessionIds) => endSessions(database, sessionIds),
    readLapse: () => readLapse(database),
    readJob: async (namespace, jobId) => (await readJobs(database, [{ namespace, jobId }]))[0],
    readJobs: (names) => readJobs(database, names),
    readLastWorkers: (namespace, jobIds) => readLastWorkers(database, namespace, jobIds),
    readTraceOrigins: (jobIds) => readTraceOrigins(database, jobIds),
    readTracedJobs: (jobIds) => readTracedJobs(database, jobIds),
    listJobs: (query) => listJobs(database, query),
    readRevisions: (jobIds) => readRevisions(database, jobIds),
    readPageTokenKey: async () => (await database.run(readPageTokenKey, []))[0]?.key as Uint8Array,
    readEndedJobs: (namespace, jobIds) => readEndedJobs(database, namespace, jobIds),
    eraseJob: (erasure) => eraseJob(database, erasure),
    findEnded: (jobIds) => findEnded(database, jobIds),
    clearExpired: (stopped = () => false) => retention.round(stopped),
    outbox: {
      take: (relayId, maxBytes, forMs) => takeOutbox(database, relayId, maxBytes, forMs),
      finish: (relayId, rowIds) => finishOutbox(database, relayId, rowIds),
      dropOlder: (olderThanMs) => dropOutbox(database, olderThanMs),
    },
    explain: explainStore(database),
    queues: queueStore(database),
    schedules: scheduleStore(database),
    workflows: workflowStore(database),
    workflowReads: workflowReads(database),
    listAudit: (query) => listAudit(database, query),
    batches: batchStore(database),
    waits: waitStore(database),
    dependencies: dependencyStore(database),
    stepTraces: stepTraces(database),
    stepCache: stepCacheStore(database),
    deadlocks: deadlockStore(database),
    ensurePartitions: async () => ensurePartitions(database, await nowUs()),
    close: () => database.close(),
  };
}
