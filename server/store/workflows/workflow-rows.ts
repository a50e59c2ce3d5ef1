/** Rows of running workflows and their steps: read by key, and written as a whole. */

import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { WorkflowRun } from '../../domain/workflows/phases.ts';
import { type StepState, stepStates } from '../../domain/workflows/step-state.ts';
import { MAX_STEPS } from '../../domain/workflows/workflow.ts';
import type { RunningCompensation } from '../../engine/ports/explanations.ts';
import type { StepKey, WrittenRun, WrittenStep } from '../../engine/ports/workflows.ts';
import { columnsOf } from '../base/columns.ts';
import { failureText } from '../base/failure-text.ts';
import { inputTable } from '../base/input-table.ts';
import { jsonOrNull } from '../base/json.ts';
import { upsert } from '../base/upsert.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf, RowType, RowWith } from '../driver/row-types.ts';

/** Codes as stored. */
export const phaseCodes = { WORK: 1, ON_FAILURE: 2, FINALLY: 3, COMPENSATION: 4 } as const satisfies Record<
  WorkflowRun['phase'],
  number
>;
const stopReasonCodes = { NO: 0, FAILED: 1, CANCELLED: 2, TIMED_OUT: 3 } as const satisfies Record<
  WorkflowRun['stopReason'],
  number
>;

function named<T extends string>(codes: Readonly<Record<T, number>>): ReadonlyMap<number, T> {
  return new Map(Object.entries(codes).map(([name, code]) => [code as number, name as T]));
}

export const phaseNames = named(phaseCodes);
export const stopReasonNames = named(stopReasonCodes);
const stepStateNames = named(stepStates);

/** Converts a row of `workflow_runs`. */
export function workflowRunOf(row: RowOf<typeof readOneRun>): WorkflowRun {
  return {
    phase: phaseNames.get(row.phase) as WorkflowRun['phase'],
    running: row.running,
    ended: row.ended,
    stopReason: stopReasonNames.get(row.stop_reason) as WorkflowRun['stopReason'],
    failed: row.failed,
    cleanupFailed: row.cleanup_failed,
    compensable: row.compensable,
  };
}

const runColumns = {
  job_id: 'uuid',
  depth: 'smallint',
  phase: 'smallint',
  running: 'int',
  ended: 'int',
  stop_reason: 'smallint',
  failed: 'boolean',
  cleanup_failed: 'boolean',
  failure: 'text',
  compensable: 'int',
  not_undone: 'text',
};

const writeManyRuns = { name: 'write_workflow_runs', text: upsert('workflow_runs', runColumns, ['job_id']) };

/** Max one row per workflow. The caller has locked the workflows. */
export async function writeRuns(session: Session, written: readonly WrittenRun[]): Promise<void> {
  if (written.length === 0) return;
  await session.run(writeManyRuns, [
    written.map((item) => item.jobId),
    written.map((item) => item.depth),
    written.map((item) => phaseCodes[item.run.phase]),
    written.map((item) => item.run.running),
    written.map((item) => item.run.ended),
    written.map((item) => stopReasonCodes[item.run.stopReason]),
    written.map((item) => item.run.failed),
    written.map((item) => item.run.cleanupFailed),
    written.map((item) => (item.failure ? failureText(item.failure) : null)),
    written.map((item) => item.run.compensable),
    written.map((item) => item.notUndone),
  ]);
}

const stepColumns = {
  job_id: 'uuid',
  step: 'smallint',
  state: 'smallint',
  succeeded: 'smallint',
  failed: 'smallint',
  upstream_failed: 'smallint',
  skipped: 'smallint',
  child_job_id: 'uuid',
  iteration: 'int',
  fan_out: 'text',
  reason: 'text',
  adopted_from: 'uuid',
  skip_reason: 'text',
  cache_key: 'bytea',
  cache_time: 'timestamptz',
  needed_items: 'text',
};

const writeManySteps = {
  name: 'write_workflow_steps',
  text: upsert('workflow_steps', stepColumns, ['job_id', 'step']),
};

/** Max one row per step. The caller has locked the workflow. */
export async function writeSteps(session: Session, written: readonly WrittenStep[]): Promise<void> {
  if (written.length === 0) return;
  await session.run(writeManySteps, [
    written.map((item) => item.jobId),
    written.map((item) => item.step),
    written.map((item) => stepStates[item.state]),
    written.map((item) => item.counts.succeeded),
    written.map((item) => item.counts.failed),
    written.map((item) => item.counts.upstreamFailed),
    written.map((item) => item.counts.skipped),
    written.map((item) => item.childId),
    written.map((item) => item.iteration),
    written.map((item) => jsonOrNull(item.fanOut)),
    written.map((item) => item.reason),
    written.map((item) => item.adoptedFrom),
    written.map((item) => item.skipReason),
    written.map((item) => item.cacheKey),
    written.map((item) => item.cacheTimeUs),
    written.map((item) => jsonOrNull(item.neededItems)),
  ]);
}

export const stepRowType = {
  job_id: 'uuid',
  step: 'int2',
  state: 'int2',
  succeeded: 'int2',
  failed: 'int2',
  upstream_failed: 'int2',
  skipped: 'int2',
  child_job_id: 'uuid?',
  iteration: 'int4',
  fan_out: 'text?',
  reason: 'text?',
  adopted_from: 'uuid?',
  skip_reason: 'text?',
  cache_key: 'bytea?',
  cache_time: 'timestamptz?',
  needed_items: 'text?',
} satisfies RowType;

const readManySteps = {
  name: 'read_workflow_steps',
  text: `
SELECT ${columnsOf(stepRowType, 's')} FROM ${inputTable({ job_id: 'uuid', step: 'smallint' }, 'i')}
CROSS JOIN LATERAL (
  SELECT * FROM workflow_steps w WHERE w.job_id = i.job_id AND w.step = i.step OFFSET 0
) AS s`,
  row: stepRowType,
} satisfies Statement;

function stepOf(row: RowWith<typeof stepRowType>): WrittenStep {
  return {
    jobId: row.job_id,
    step: row.step,
    state: stepStateNames.get(row.state) as StepState,
    counts: {
      succeeded: row.succeeded,
      failed: row.failed,
      upstreamFailed: row.upstream_failed,
      skipped: row.skipped,
    },
    childId: row.child_job_id ?? undefined,
    iteration: row.iteration,
    fanOut: row.fan_out === null ? undefined : JSON.parse(row.fan_out),
    reason: row.reason ?? undefined,
    adoptedFrom: row.adopted_from ?? undefined,
    skipReason: row.skip_reason ?? undefined,
    cacheKey: row.cache_key ?? undefined,
    cacheTimeUs: row.cache_time ?? undefined,
    neededItems: row.needed_items === null ? undefined : JSON.parse(row.needed_items),
  };
}

export async function readSteps(session: Session, keys: readonly StepKey[]): Promise<WrittenStep[]> {
  if (keys.length === 0) return [];
  const rows = await session.run(readManySteps, [keys.map((key) => key.jobId), keys.map((key) => key.step)]);
  return rows.map(stepOf);
}

const readPast = {
  name: 'read_past_steps',
  text: `
SELECT ${columnsOf(stepRowType, 's')} FROM (SELECT job_id, state FROM job_outcomes WHERE job_id = $1 OFFSET 0) AS ended
CROSS JOIN LATERAL (
  SELECT * FROM workflow_steps w WHERE w.job_id = ended.job_id ORDER BY w.step LIMIT ${MAX_STEPS}
) AS s
WHERE ended.state <> ${stateCodes.SUCCEEDED}`,
  row: stepRowType,
} satisfies Statement;

export async function readPastSteps(session: Session, jobId: string): Promise<WrittenStep[]> {
  return (await session.run(readPast, [jobId])).map(stepOf);
}

const readSkipped = {
  name: 'read_asked_skips',
  text: `SELECT ${columnsOf(stepRowType)} FROM workflow_steps WHERE job_id = $1 AND skip_reason IS NOT NULL ORDER BY step LIMIT ${MAX_STEPS}`,
  row: stepRowType,
} satisfies Statement;

export async function readAskedSkips(session: Session, jobId: string): Promise<WrittenStep[]> {
  return (await session.run(readSkipped, [jobId])).map(stepOf);
}

const runRowType = {
  job_id: 'uuid',
  depth: 'int2',
  phase: 'int2',
  running: 'int4',
  ended: 'int4',
  stop_reason: 'int2',
  failed: 'bool',
  cleanup_failed: 'bool',
  failure: 'text?',
  compensable: 'int4',
  not_undone: 'text?',
} satisfies RowType;

const readOneRun = {
  name: 'read_workflow_run',
  text: `SELECT ${columnsOf(runRowType)} FROM workflow_runs WHERE job_id = $1`,
  row: runRowType,
} satisfies Statement;

const runningSteps = {
  name: 'read_running_steps',
  text: `SELECT ${columnsOf(stepRowType)} FROM workflow_steps WHERE job_id = $1 AND state = ${stepStates.RUNNING} ORDER BY step LIMIT $2`,
  row: stepRowType,
} satisfies Statement;

const runningCompensation = {
  name: 'read_running_compensation',
  text: `SELECT step, compensation_job_id FROM step_compensations WHERE job_id = $1 AND state = ${stepStates.RUNNING} LIMIT 1`,
  row: { step: 'int2', compensation_job_id: 'uuid' },
} satisfies Statement;

export async function readRun(session: Session, jobId: string): Promise<WorkflowRun | undefined> {
  const [run] = await session.run(readOneRun, [jobId]);
  return run && workflowRunOf(run);
}

export async function readRunningSteps(session: Session, jobId: string, limit: number): Promise<WrittenStep[]> {
  return (await session.run(runningSteps, [jobId, limit])).map(stepOf);
}

export async function readRunningCompensation(
  session: Session,
  jobId: string,
): Promise<RunningCompensation | undefined> {
  const [row] = await session.run(runningCompensation, [jobId]);
  return row && { step: row.step, jobId: row.compensation_job_id };
}
