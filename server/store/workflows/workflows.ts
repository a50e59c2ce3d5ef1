/** The store's port for running workflows, and the locks of their runs. */
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { LockedRun, StoredWorkflow, WorkflowStore } from '../../engine/ports/workflows.ts';
import { failureOf } from '../base/failure-text.ts';
import { sameKey } from '../base/same-key.ts';
import { payloadOf } from '../dispatch/claim-jobs.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import type { Filled, RowOf } from '../driver/row-types.ts';
import {
  readCompensations,
  readCompensationsOf,
  readNextCompensation,
  writeCompensations,
} from './step-compensations.ts';
import { readChildren, readItemResults, readOpenChildren, readOutcomes } from './workflow-children.ts';
import {
  readAskedSkips,
  readPastSteps,
  readRun,
  readSteps,
  workflowRunOf,
  writeRuns,
  writeSteps,
} from './workflow-rows.ts';

// The lock is that of the job's run: the advance of a workflow and its cancel wait for each other. A paused one is locked
// too, so that it can't be resumed before its entries are read: they stay.
const lockSome = {
  name: 'lock_workflows',
  text: `
SELECT r.job_id, r.lane_id, r.state, r.reason, r.notifies_end, r.suspend_until
FROM unnest($1::uuid[]) AS i (job_id) JOIN job_runs r ON ${sameKey('r.job_id', 'i.job_id')}
WHERE r.state IN (${stateCodes.WAITING}, ${stateCodes.CANCELLING}, ${stateCodes.PAUSED}) AND r.session_id IS NULL
ORDER BY i.job_id FOR NO KEY UPDATE OF r`,
  row: {
    job_id: 'uuid',
    lane_id: 'int4',
    state: 'int2',
    reason: 'text?',
    notifies_end: 'bool',
    suspend_until: 'timestamptz?',
  },
} satisfies Statement;

const readSome = {
  name: 'read_workflows',
  text: `
SELECT j.*, coalesce(w.depth, p.depth + 1, 1) AS depth, w.phase, w.running, w.ended, w.stop_reason, w.failed, w.cleanup_failed, w.failure,
       w.compensable, w.not_undone
FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (SELECT parent_job_id FROM job_runs r WHERE ${sameKey('r.job_id', 'i.job_id')} OFFSET 0) AS r
CROSS JOIN LATERAL (
  SELECT job_id, priority, labels, input, input_content_type, input_metadata, fairness_key, traceparent, tracestate, retry_of
  FROM jobs WHERE jobs.job_id = i.job_id OFFSET 0
) AS j
LEFT JOIN workflow_runs w ON ${sameKey('w.job_id', 'i.job_id')}
LEFT JOIN workflow_runs p ON ${sameKey('p.job_id', 'r.parent_job_id')}`,
  row: {
    job_id: 'uuid',
    priority: 'int2',
    labels: 'jsonb?',
    input: 'bytea',
    input_content_type: 'text',
    input_metadata: 'text?',
    fairness_key: 'text?',
    traceparent: 'text?',
    tracestate: 'text?',
    retry_of: 'uuid?',
    depth: 'int4',
    phase: 'int2?',
    running: 'int4?',
    ended: 'int4?',
    stop_reason: 'int2?',
    failed: 'bool?',
    cleanup_failed: 'bool?',
    failure: 'text?',
    compensable: 'int4?',
    not_undone: 'text?',
  },
} satisfies Statement;

async function lockRuns(session: Session, jobIds: readonly string[]): Promise<LockedRun[]> {
  const rows = await session.run(lockSome, [jobIds]);
  return rows
    .filter(({ state }) => state !== stateCodes.PAUSED)
    .map((row) => ({
      jobId: row.job_id,
      laneId: row.lane_id,
      notifiesDependents: row.notifies_end,
      state: row.state === stateCodes.WAITING ? 'WAITING' : 'CANCELLING',
      reason: row.reason ?? undefined,
      childrenUntilUs: row.suspend_until ?? undefined,
    }));
}

function workflowOf(row: RowOf<typeof readSome>): StoredWorkflow {
  return {
    jobId: row.job_id,
    priority: row.priority,
    labels: (row.labels ?? {}) as Record<string, string>,
    input: payloadOf(row.input, row.input_content_type, row.input_metadata),
    fairnessKey: row.fairness_key ?? undefined,
    traceparent: row.traceparent ?? '',
    tracestate: row.tracestate ?? '',
    depth: row.depth,
    retryOf: row.retry_of ?? undefined,
    run: row.phase === null ? undefined : workflowRunOf(row as Filled<typeof row>),
    failure: row.failure === null ? undefined : failureOf(row.failure),
    notUndone: row.not_undone ?? undefined,
  };
}

export function workflowStore(database: Database): WorkflowStore {
  return {
    lockRuns: (jobIds) => lockRuns(database, jobIds),
    readOpen: async (jobIds) => (await database.run(readSome, [jobIds])).map(workflowOf),
    readRun: (jobId) => readRun(database, jobId),
    readSteps: (keys) => readSteps(database, keys),
    readAskedSkips: (jobId) => readAskedSkips(database, jobId),
    readPastSteps: (jobId) => readPastSteps(database, jobId),
    readCompensations: (keys) => readCompensations(database, keys),
    readCompensationsOf: (jobId) => readCompensationsOf(database, jobId),
    readNextCompensation: (jobId, before) => readNextCompensation(database, jobId, before),
    readOutcomes: (childIds) => readOutcomes(database, childIds),
    readItemResults: (key, maxBytes) => readItemResults(database, key, maxBytes),
    writeRuns: (runs) => writeRuns(database, runs),
    writeSteps: (steps) => writeSteps(database, steps),
    writeCompensations: (compensations) => writeCompensations(database, compensations),
    readOpenChildren: (asked, limit) => readOpenChildren(database, asked, limit),
    readChildren: (jobId, after, limit) => readChildren(database, jobId, after, limit),
  };
}
