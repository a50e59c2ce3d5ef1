/** The statements: the engine's port on one database. */
import type { Statements } from '../engine/ports/store.ts';
import { insertRequestId, readRequestId, readStoredCalls } from './base/request-ids.ts';
import { batchStore } from './batches/batches.ts';
import { readOpenVersions } from './definitions/compatibility.ts';
import {
  findDefinition,
  insertDefinition,
  listDefinitions,
  putInArchive,
  readDefinition,
  readNewestDefinition,
  takeFromArchive,
} from './definitions/definitions.ts';
import { rolloutStore } from './definitions/rollouts.ts';
import { dependencyStore } from './dependencies/dependency-walk.ts';
import { dispatchStore } from './dispatch/dispatch-store.ts';
import { listOffers } from './dispatch/offers.ts';
import { type Database, type Statement, within } from './driver/database.ts';
import { dropOutbox, finishOutbox, takeOutbox } from './events/outbox.ts';
import { stepTraces } from './events/read-links.ts';
import { readTraceOrigins, readTraceRecords } from './events/read-traces.ts';
import { explainStore } from './explain/explain-store.ts';
import { eraseData, lockJobRecord, readJobEnd } from './jobs/change/erase-job.ts';
import { insertCleanups } from './jobs/change/insert-cleanups.ts';
import { lockRuns } from './jobs/change/lock-runs.ts';
import { closePassedDeadlines, readDeadlineMisses } from './jobs/change/soft-deadlines.ts';
import { updateRecords } from './jobs/change/update-records.ts';
import { writeAttempts, writeContinues, writeEnds } from './jobs/change/write-runs.ts';
import { findChildPauses } from './jobs/inbox/child-pauses.ts';
import { dropEntriesOfEnds, takeEntriesOfEnds } from './jobs/inbox/dependency-entries.ts';
import { insertInbox } from './jobs/inbox/inbox-inserts.ts';
import { dropInbox, findAbandoned, takeInbox } from './jobs/inbox/workflow-entries.ts';
import { readEndedJobs } from './jobs/read/ended-jobs.ts';
import { findEnded, findJobs, readRevisions } from './jobs/read/find-jobs.ts';
import { findListedLanes, scanJobs } from './jobs/read/list-jobs.ts';
import { readClosed, readClosedAttempts, readJobRecords } from './jobs/read/read-jobs.ts';
import {
  insertIdempotencyKeys,
  pointIdempotencyKeys,
  readKeyOwners,
  takeOverIdempotencyKeys,
} from './jobs/submit/idempotency-keys.ts';
import { insertJobs } from './jobs/submit/insert-jobs.ts';
import { readLastWorkers } from './jobs/submit/last-workers.ts';
import {
  insertSubmissionKeys,
  lockSubmissionKeys,
  readSubmissionKeys,
  takeOverSubmissionKeys,
} from './jobs/submit/submission-keys.ts';
import { insertAudits, listAudit } from './namespaces/audit-records.ts';
import { queueStore } from './queues/change-queues.ts';
import { breakerStore } from './retries/breaker-store.ts';
import {
  countFirstAttempts,
  lockBudgetMinute,
  makeBudgetMinute,
  readBudgetMinutes,
  spendBudget,
} from './retries/retry-budgets.ts';
import { scheduleStore } from './schedules/schedules.ts';
import { appendLogs, lockLogging, readLogs, readNewestLogChunks, trimLogs } from './sessions/attempt-logs.ts';
import { deleteJobCheckpoints, readUnchecked, writeCompletions } from './sessions/complete-attempts.ts';
import { observeAttempts, readAssigned, readHeld, readHeldOfQueue, saveProgress } from './sessions/held-runs.ts';
import { noteLateReports, readLateReports } from './sessions/late-reports.ts';
import {
  closeSessions,
  endSessions,
  findSession,
  insertSession,
  readClosing,
  readLapsed,
  readSessions,
  renewSessions,
  shortenLeases,
} from './sessions/sessions.ts';
import { drainSession, heldJobs, listSessions, readWorker } from './sessions/workers.ts';
import { signalWaitStore } from './signals/sent-signals.ts';
import { triggerStore } from './triggers/triggers.ts';
import { ensurePartitions } from './upkeep/partitions.ts';
import { RetentionRounds } from './upkeep/retention.ts';
import { readRetention, setRetention } from './upkeep/retentions.ts';
import { workflowReads } from './workflows/read-workflow.ts';
import { stepCacheStore } from './workflows/step-cache.ts';
import { workflowStore } from './workflows/workflows.ts';

const readNow = {
  name: 'read_now',
  text: 'SELECT muster_now() AS now',
  row: { now: 'timestamptz' },
} satisfies Statement;
const readPageTokenKey = {
  name: 'read_page_token_key',
  text: "SELECT key FROM deployment_keys WHERE purpose = 'page_tokens'",
  row: { key: 'bytea' },
} satisfies Statement;
const readNextDue = {
  name: 'read_next_due',
  text: 'SELECT min(due_time) AS due FROM job_runs WHERE due_time IS NOT NULL',
  row: { due: 'timestamptz?' },
} satisfies Statement;

/** The schema must be up to date (see `migrate`). */
export function createStatements(database: Database): Statements {
  const retention = new RetentionRounds(database);
  const nowUs = async () => (await database.run(readNow, []))[0]?.now as number;
  return {
    nowUs,
    transaction: (work) => database.transaction((session) => work(createStatements(within(session)))),
    insertRequestId: (namespace, request, page) => insertRequestId(database, namespace, request, page),
    readRequestId: (namespace, requestId) => readRequestId(database, namespace, requestId),
    readDefinition: (namespace, name, version) => readDefinition(database, namespace, name, version),
    findDefinition: (namespace, name, contentHash) => findDefinition(database, namespace, name, contentHash),
    listDefinitions: (query) => listDefinitions(database, query),
    readNewestDefinition: (namespace, name) => readNewestDefinition(database, namespace, name),
    insertDefinition: (definition, contentHash) => insertDefinition(database, definition, contentHash),
    putInArchive: (namespace, name) => putInArchive(database, namespace, name),
    takeFromArchive: (namespace, name) => takeFromArchive(database, namespace, name),
    listOffers: (namespace, afterSessionId, limit) => listOffers(database, namespace, afterSessionId, limit),
    readOpenVersions: (namespace, name, version) => readOpenVersions(database, namespace, name, version),
    readRetention: (namespace) => readRetention(database, namespace),
    setRetention: (namespace, retentionMs, definition) => setRetention(database, namespace, retentionMs, definition),
    insertJobs: (insertions, placement) => insertJobs(database, insertions, placement),
    readStoredCalls: (requests) => readStoredCalls(database, requests),
    insertIdempotencyKeys: (call) => insertIdempotencyKeys(database, call),
    takeOverIdempotencyKeys: (call) => takeOverIdempotencyKeys(database, call),
    readKeyOwners: (namespace, keys) => readKeyOwners(database, namespace, keys),
    pointIdempotencyKeys: (namespace, keys) => pointIdempotencyKeys(database, namespace, keys),
    insertSubmissionKeys: (claims) => insertSubmissionKeys(database, claims),
    lockSubmissionKeys: (hashes) => lockSubmissionKeys(database, hashes),
    readSubmissionKeys: (hashes) => readSubmissionKeys(database, hashes),
    takeOverSubmissionKeys: (taken) => takeOverSubmissionKeys(database, taken),
    findJobs: (jobIds) => findJobs(database, jobIds),
    ...dispatchStore(database),
    countFirstAttempts: (jobs) => countFirstAttempts(database, jobs),
    makeBudgetMinute: (key) => makeBudgetMinute(database, key),
    lockBudgetMinute: (key) => lockBudgetMinute(database, key),
    readBudgetMinutes: (key) => readBudgetMinutes(database, key),
    spendBudget: (key, spent) => spendBudget(database, key, spent),
    ...breakerStore(database),
    writeCompletions: (completions, checked) => writeCompletions(database, completions, checked),
    deleteCheckpoints: (jobIds) => deleteJobCheckpoints(database, jobIds),
    readUnchecked: (attempts) => readUnchecked(database, attempts),
    readClosed: (attempts) => readClosed(database, attempts),
    noteLateReports: (reports) => noteLateReports(database, reports),
    readLateReports: (jobIds) => readLateReports(database, jobIds),
    lockRuns: (selection) => lockRuns(database, selection),
    writeAttempts: (changes) => writeAttempts(database, changes),
    writeContinues: (changes) => writeContinues(database, changes),
    writeEnds: (changes) => writeEnds(database, changes),
    updateRecords: (changes) => updateRecords(database, changes),
    insertCleanups: (ends) => insertCleanups(database, ends),
    closePassedDeadlines: (limit, latestUs) => closePassedDeadlines(database, limit, latestUs),
    readDeadlineMisses: (jobIds) => readDeadlineMisses(database, jobIds),
    nextDueUs: async () => (await database.run(readNextDue, []))[0]?.due ?? undefined,
    insertSession: (session) => insertSession(database, session),
    findSession: (namespace, requestId) => findSession(database, namespace, requestId),
    renewSessions: (beats, leaseMs, nowUs) => renewSessions(database, beats, leaseMs, nowUs),
    shortenLeases: (leaseMs, nowUs) => shortenLeases(database, leaseMs, nowUs),
    readSessions: (sessionIds) => readSessions(database, sessionIds),
    listSessions: (namespace, afterSessionId, limit) => listSessions(database, namespace, afterSessionId, limit),
    readWorker: (namespace, sessionId) => readWorker(database, namespace, sessionId),
    readHeldJobs: (sessionId, limit) => heldJobs(database, sessionId, limit),
    drainSession: (namespace, sessionId) => drainSession(database, namespace, sessionId),
    readHeld: (sessionId, whole) => readHeld(database, sessionId, whole),
    readHeldOfQueue: (queue, page) => readHeldOfQueue(database, queue, page),
    readAssigned: (attempts) => readAssigned(database, attempts),
    observe: (attempts, ownUs) => observeAttempts(database, attempts, ownUs),
    saveProgress: (changes, ownUs) => saveProgress(database, changes, ownUs),
    lockLogging: (logs) => lockLogging(database, logs),
    readNewestLogChunks: (logs) => readNewestLogChunks(database, logs),
    appendLogs: (logs, newest) => appendLogs(database, logs, newest),
    trimLogs: (logs) => trimLogs(database, logs),
    readLogs: (query) => readLogs(database, query),
    closeSessions: (sessionIds, how, lapsedForMs, latestUs) =>
      closeSessions(database, sessionIds, how, lapsedForMs, latestUs),
    endSessions: (sessionIds) => endSessions(database, sessionIds),
    readLapsed: (latestUs) => readLapsed(database, latestUs),
    readClosing: () => readClosing(database),
    readJobRecords: (names) => readJobRecords(database, names),
    readAttempts: (jobIds) => readClosedAttempts(database, jobIds),
    readLastWorkers: (namespace, jobIds) => readLastWorkers(database, namespace, jobIds),
    readTraceOrigins: (jobIds) => readTraceOrigins(database, jobIds),
    readTraceRecords: (jobIds) => readTraceRecords(database, jobIds),
    findListedLanes: (query) => findListedLanes(database, query),
    scanJobs: (scan) => scanJobs(database, scan),
    readRevisions: (jobIds) => readRevisions(database, jobIds),
    readPageTokenKey: async () => (await database.run(readPageTokenKey, []))[0]?.key as Uint8Array,
    readEndedJobs: (namespace, jobIds) => readEndedJobs(database, namespace, jobIds),
    lockRecord: (jobId) => lockJobRecord(database, jobId),
    readEnd: (jobId) => readJobEnd(database, jobId),
    eraseData: (data) => eraseData(database, data),
    findEnded: (jobIds) => findEnded(database, jobIds),
    clearExpired: (bounds = {}) => retention.round(bounds),
    outbox: {
      take: (relayId, maxBytes, forMs) => takeOutbox(database, relayId, maxBytes, forMs),
      finish: (relayId, rowIds) => finishOutbox(database, relayId, rowIds),
      dropOlder: (olderThanMs) => dropOutbox(database, olderThanMs),
    },
    explain: explainStore(database),
    queues: queueStore(database),
    schedules: scheduleStore(database),
    triggers: triggerStore(database),
    rollouts: rolloutStore(database),
    inbox: {
      take: (jobIds) => takeInbox(database, jobIds),
      add: (entries) => insertInbox(database, entries),
      drop: (rowIds) => dropInbox(database, rowIds),
      takeEntriesOfEnds: () => takeEntriesOfEnds(database),
      dropEntriesOfEnds: (rowIds) => dropEntriesOfEnds(database, rowIds),
      findAbandoned: (olderThanMs, limit, afterRowId) => findAbandoned(database, olderThanMs, limit, afterRowId),
      findChildPauses: (limit) => findChildPauses(database, limit),
    },
    workflows: workflowStore(database),
    workflowReads: workflowReads(database),
    insertAudits: (records) => insertAudits(database, records),
    listAudit: (query) => listAudit(database, query),
    batches: batchStore(database),
    waits: signalWaitStore(database),
    dependencies: dependencyStore(database),
    stepTraces: stepTraces(database),
    stepCache: stepCacheStore(database),
    ensurePartitions: async () => ensurePartitions(database, await nowUs()),
    close: () => database.close(),
  };
}
