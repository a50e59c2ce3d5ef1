/** Running workflows: locked one by one, loaded and written. */
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { InboxRow } from '../../engine/ports/inbox.ts';
import type { LockedWorkflow, WorkflowStore } from '../../engine/ports/workflows.ts';
import { failureOf } from '../base/failure-text.ts';
import { sameKey } from '../base/same-key.ts';
import { payloadOf } from '../dispatch/claim-jobs.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import type { Filled, RowOf } from '../driver/row-types.ts';
import { insertInbox } from '../jobs/inbox/inbox-inserts.ts';
import { takeInbox } from '../jobs/inbox/workflow-entries.ts';
import { insertAudits } from '../namespaces/audit-records.ts';
import {
  readCompensations,
  readCompensationsOf,
  readNextCompensation,
  writeCompensations,
} from './step-compensations.ts';
import { readItemResults, readOpenChildren, readOutcomes } from './workflow-children.ts';
import {
  readAskedSkips,
  readPastSteps,
  readRun,
  readSteps,
  workflowRunOf,
  writeRuns,
  writeSteps,
} from './workflow-rows.ts';

// The lock is that of the job's run: the advance of a workflow and its cancel wait for each other.
const lockSome = {
  name: 'lock_workflows',
  text: `
SELECT r.job_id, r.lane_id, r.state, r.reason, r.notifies_end
FROM unnest($1::uuid[]) AS i (job_id) JOIN job_runs r ON ${sameKey('r.job_id', 'i.job_id')}
WHERE r.state IN (${stateCodes.WAITING}, ${stateCodes.CANCELLING}) AND r.session_id IS NULL
ORDER BY i.job_id FOR NO KEY UPDATE OF r`,
  row: { job_id: 'uuid', lane_id: 'int4', state: 'int2', reason: 'text?', notifies_end: 'bool' },
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

function lockedWorkflow(
  locked: RowOf<typeof lockSome>,
  row: RowOf<typeof readSome>,
  inbox: readonly InboxRow[],
): LockedWorkflow {
  return {
    jobId: locked.job_id,
    laneId: locked.lane_id,
    notifiesDependents: locked.notifies_end,
    state: locked.state === stateCodes.WAITING ? 'WAITING' : 'CANCELLING',
    reason: locked.reason ?? undefined,
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
    inbox,
  };
}

// The reads come in later statements than the lock: its own may have begun before the last holder committed. Entries of
// workflows that have ended meanwhile have no reader.
async function lock(session: Session, jobIds: readonly string[]): Promise<LockedWorkflow[]> {
  const ids = [...new Set(jobIds)].sort();
  const [locked, rows, inbox] = await Promise.all([
    session.run(lockSome, [ids]),
    session.run(readSome, [ids]),
    takeInbox(session, ids),
  ]);
  const byId = new Map(rows.map((row) => [row.job_id, row]));
  return locked.map((row) =>
    lockedWorkflow(row, byId.get(row.job_id) as RowOf<typeof readSome>, inbox.get(row.job_id) ?? []),
  );
}

export function workflowStore(database: Database): WorkflowStore {
  return {
    lock: (jobIds) => lock(database, jobIds),
    async lockRun(jobId) {
      const locked = await database.run(lockSome, [[jobId]]);
      return locked.length > 0 ? readRun(database, jobId) : undefined;
    },
    async skipStep({ jobId, step, name, reason, namespace, auditId }) {
      await insertInbox(database, [{ jobId, step, kind: 'SKIP_STEP', reason }]);
      await insertAudits(database, [{ auditId, action: 'SKIP_STEP', namespace, jobId, reason, subject: name }]);
    },
    readSteps: (keys) => readSteps(database, keys),
    readAskedSkips: (jobId) => readAskedSkips(database, jobId),
    readPastSteps: (jobId) => readPastSteps(database, jobId),
    readCompensations: (keys) => readCompensations(database, keys),
    readCompensationsOf: (jobId) => readCompensationsOf(database, jobId),
    readNextCompensation: (jobId, before) => readNextCompensation(database, jobId, before),
    readOutcomes: (childIds) => readOutcomes(database, childIds),
    readItemResults: (key, maxBytes) => readItemResults(database, key, maxBytes),
    writeSteps: (steps) => writeSteps(database, steps),
    async write({ runs, steps, compensations }) {
      await Promise.all([
        writeRuns(database, runs),
        writeSteps(database, steps),
        writeCompensations(database, compensations),
      ]);
    },
    readOpenChildren: (asked, limit) => readOpenChildren(database, asked, limit),
  };
}
