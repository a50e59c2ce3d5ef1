/** The store with the transactions that the engine composes of its statements. */
import { insertRetry, lockRetried, storePage, writeBatches } from '../batches/stored-batches.ts';
import { applyDefinition, archiveDefinition } from '../definitions/change-definitions.ts';
import { addEdges, linkOne } from '../dependencies/add-edges.ts';
import { takeEnds } from '../dependencies/take-ends.ts';
import { claim } from '../dispatch/claims/claim.ts';
import { FairRanks } from '../dispatch/fair-ranks.ts';
import { ensureLane, findLane } from '../dispatch/make-lane.ts';
import { requeueDeferred } from '../dispatch/requeue-deferred.ts';
import { readTracedJobs } from '../events/traced-jobs.ts';
import { readCapacityInUse, readLimits, readWorkflow } from '../explain/read-explained.ts';
import { changeRuns } from '../jobs/change/change-runs.ts';
import { eraseJob } from '../jobs/change/erase-job.ts';
import { listJobs } from '../jobs/read/list-jobs.ts';
import { readJobs } from '../jobs/read/read-jobs.ts';
import { findSubmission } from '../jobs/submit/stored-calls.ts';
import { submitCalls } from '../jobs/submit/submit-calls.ts';
import type { Statements, Store } from '../ports/store.ts';
import { createQueue, deleteQueue, pauseQueue, resumeQueue, updateQueue } from '../queues/change-queues.ts';
import { listQueues, readQueue } from '../queues/read-queues.ts';
import { alignGatedLanes, changeBreakers } from '../retries/change-breakers.ts';
import { probeBreaker } from '../retries/claim-probe.ts';
import {
  applySchedule,
  askForRuns,
  deleteSchedule,
  pauseSchedule,
  resumeSchedule,
} from '../schedules/change-schedules.ts';
import { scanSchedules } from '../schedules/scan-schedules.ts';
import { completeAttempts } from '../sessions/complete-attempts.ts';
import { openSession } from '../sessions/open-session.ts';
import { saveLogs } from '../sessions/save-logs.ts';
import { lockWorkflowRun, lockWorkflows, storeSkip, writeWorkflows } from '../workflows/stored-workflows.ts';
import { keepPage, takeRequestId } from './request-ids.ts';

/** `reads`: the same database, for reads that callers may repeat without bound. */
export function composeStore(statements: Statements, reads = statements): Store {
  const store = composed(statements, new FairRanks(), false);
  return { ...store, ...callersReads(store, composed(reads, new FairRanks(), true)) };
}

/**
 * Reads that run once for each call. They are bounded together, below the capacity of the database, so that they never
 * delay work that is bounded by itself: what is batched, and what loops do.
 */
function callersReads(store: Store, reads: Store): Partial<Store> {
  const { listJobs, listDefinitions, listAudit, listBreakers, listSessions, readWorker, readHeldJobs, readLogs } =
    reads;
  const { list, listRuns, read, readRun } = reads.schedules;
  return {
    listJobs,
    listDefinitions,
    listAudit,
    listBreakers,
    listSessions,
    readWorker,
    readHeldJobs,
    readLogs,
    explain: reads.explain,
    workflowReads: reads.workflowReads,
    queues: { ...store.queues, read: reads.queues.read, list: reads.queues.list },
    schedules: { ...store.schedules, list, listRuns, read, readRun },
    triggers: { ...store.triggers, readProgress: reads.triggers.readProgress },
    rollouts: { ...store.rollouts, read: reads.rollouts.read, list: reads.rollouts.list },
    dependencies: { ...store.dependencies, listAssets: reads.dependencies.listAssets },
  };
}

/** `inside`: the statements are those of an open transaction, which `together` joins. */
function composed(statements: Statements, fairRanks: FairRanks, inside: boolean): Store {
  const store: Store = {
    ...statements,
    together: (work) =>
      inside ? work(store) : statements.transaction((inner) => work(composed(inner, fairRanks, true))),
    applyDefinition: (definition, contentHash, validateOnly, rollout) =>
      applyDefinition(store, definition, contentHash, { validateOnly, rollout }),
    archiveDefinition: (namespace, name) => archiveDefinition(store, namespace, name),
    change: (selection, decide) => changeRuns(store, selection, decide),
    readJob: async (namespace, jobId) => (await readJobs(store, [{ namespace, jobId }]))[0],
    readJobs: (names) => readJobs(store, names),
    listJobs: (query) => listJobs(store, query),
    readTracedJobs: (jobIds) => readTracedJobs(store, jobIds),
    rankFairly: (jobs) => fairRanks.rank(store, jobs),
    takeRequestId: (namespace, request) => takeRequestId(store, namespace, request),
    keepPage: (namespace, request, page) => keepPage(store, namespace, request, page),
    submit: (calls, permits = new Map(), limited) => submitCalls(store, calls, { permits, limited }),
    findSubmission: (call) => findSubmission(store, call),
    findLane: (key, breaker) => findLane(store, key, breaker),
    ensureLane: (key, breaker) => ensureLane(store, key, breaker),
    requeueDeferred: (limitIds) => requeueDeferred(store, limitIds),
    claim: (wanted) => claim(store, wanted),
    changeBreakers: (keys, decide, make) => changeBreakers(store, keys, decide, make),
    probeBreaker: (key, wanted, latestUs) => probeBreaker(store, key, wanted, latestUs),
    alignGatedLanes: () => alignGatedLanes(store),
    complete: (completions, checked) => completeAttempts(store, completions, checked),
    eraseJob: (erasure) => eraseJob(store, erasure),
    openSession: (session) => openSession(store, session),
    saveLogs: (logs) => saveLogs(store, logs),
    dependencies: {
      ...statements.dependencies,
      link: (namespace, jobId, dependencies) => linkOne(store, namespace, jobId, dependencies),
      addEdges: (namespace, jobId, dependencies) => addEdges(store, namespace, jobId, dependencies),
    },
    explain: {
      ...statements.explain,
      readLimits: (query) => readLimits(store, query),
      readCapacityInUse: (laneId, sessionIds) => readCapacityInUse(store, laneId, sessionIds),
      readWorkflow: (jobId, steps) => readWorkflow(store, jobId, steps),
    },
    inbox: { ...statements.inbox, takeEnds: () => takeEnds(store) },
    queues: {
      ...statements.queues,
      read: (queue) => readQueue(store, queue),
      list: (namespace, afterName, limit) => listQueues(store, namespace, afterName, limit),
      create: (queue, settings) => createQueue(store, queue, settings),
      update: (queue, update) => updateQueue(store, queue, update),
      pause: (queue, reason) => pauseQueue(store, queue, reason),
      resume: (queue) => resumeQueue(store, queue),
      delete: (queue) => deleteQueue(store, queue),
    },
    schedules: {
      ...statements.schedules,
      apply: (spec, etag, scheduleId, decide, ownUs) => applySchedule(store, spec, etag, scheduleId, decide, ownUs),
      pause: (name, reason) => pauseSchedule(store, name, reason),
      resume: (name, decide, ownUs) => resumeSchedule(store, name, decide, ownUs),
      delete: (name) => deleteSchedule(store, name),
      ask: (name, runs) => askForRuns(store, name, runs),
      scan: (decide, ownUs) => scanSchedules(store, decide, ownUs),
    },
    workflows: {
      ...statements.workflows,
      lock: (jobIds) => lockWorkflows(store, jobIds),
      lockRun: (jobId) => lockWorkflowRun(store, jobId),
      skipStep: (skip) => storeSkip(store, skip),
      write: (written) => writeWorkflows(store, written),
    },
    batches: {
      ...statements.batches,
      write: (batches) => writeBatches(store, batches),
      lockRetried: (jobId) => lockRetried(store, jobId),
      insertRetry: (retry) => insertRetry(store, retry),
      storePage: (jobId, page) => storePage(store, jobId, page),
    },
  };
  return store;
}
