/** Workflows as the API shows them: the stored state of their steps. Changes and locks nothing. */
import { DETACHED } from '../../domain/dependencies/children.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import { type StepState, stepStates } from '../../domain/workflows/step-state.ts';
import type { ShownCompensation, StepRecord, WorkflowProgress, WorkflowReads } from '../../engine/ports/workflows.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { phaseNames } from './workflow-rows.ts';

const MAX_REASON = 1_024;
/** Jobs that are looked at for one that waits. */
const MAX_OPEN = 10_000;
const states = Object.entries(stepStates) as [StepState, number][];
const stateNames = new Map(states.map(([name, code]) => [code, name]));

/** One row, also for a workflow that has not been started. */
const readRun = {
  name: 'read_workflow',
  text: `
SELECT (SELECT phase FROM workflow_runs WHERE job_id = $1) AS phase,
       ${states.map(([name, code]) => `count(*) FILTER (WHERE state = ${code})::int AS "${name}"`).join(', ')},
       count(cache_time)::int AS cached
FROM workflow_steps WHERE job_id = $1`,
  row: {
    phase: 'int2?',
    WAITING: 'int4',
    RUNNING: 'int4',
    SUCCEEDED: 'int4',
    FAILED: 'int4',
    UPSTREAM_FAILED: 'int4',
    SKIPPED: 'int4',
    cached: 'int4',
  },
} satisfies Statement;

const readStates = {
  name: 'read_step_states',
  text: 'SELECT step, state FROM workflow_steps WHERE job_id = $1 AND step > $2 ORDER BY step',
  row: { step: 'int2', state: 'int2' },
} satisfies Statement;

// Items are created in order, so the first one's job says when a fan-out began. Only one index has them in this order.
const readSteps = {
  name: 'list_workflow_steps',
  text: `
SELECT s.step, s.state, s.child_job_id, s.iteration, s.fan_out, left(s.reason, ${MAX_REASON}) AS reason,
       s.cache_time IS NOT NULL AS cached,
       coalesce(s.cache_time, j.create_time, i.create_time) AS start_time, coalesce(s.cache_time, o.end_time) AS end_time,
       c.state AS compensation_state, c.compensation_job_id, left(c.reason, ${MAX_REASON}) AS compensation_reason,
       cj.create_time AS compensation_start_time, co.end_time AS compensation_end_time
FROM unnest($2::int[]) AS wanted (step)
CROSS JOIN LATERAL (SELECT * FROM workflow_steps WHERE job_id = $1 AND step = wanted.step::smallint OFFSET 0) AS s
LEFT JOIN LATERAL (SELECT * FROM step_compensations WHERE job_id = s.job_id AND step = s.step OFFSET 0) AS c ON true
LEFT JOIN LATERAL (SELECT create_time FROM jobs WHERE jobs.job_id = c.compensation_job_id OFFSET 0) AS cj ON true
LEFT JOIN LATERAL (SELECT end_time FROM job_outcomes WHERE job_outcomes.job_id = c.compensation_job_id OFFSET 0) AS co ON true
LEFT JOIN LATERAL (SELECT create_time FROM jobs WHERE jobs.job_id = s.child_job_id OFFSET 0) AS j ON true
LEFT JOIN LATERAL (SELECT end_time FROM job_outcomes WHERE job_outcomes.job_id = s.child_job_id OFFSET 0) AS o ON true
LEFT JOIN LATERAL (
  SELECT create_time FROM jobs
  WHERE s.fan_out IS NOT NULL AND parent_job_id IS NOT NULL
    AND (parent_job_id, jobs.step, item) >= (s.job_id, s.step, 0) AND (parent_job_id, jobs.step, item) < (s.job_id, s.step, 1)
  ORDER BY parent_job_id, jobs.step, item LIMIT 1
) AS i ON true`,
  row: {
    step: 'int2',
    state: 'int2',
    child_job_id: 'uuid?',
    iteration: 'int4',
    fan_out: 'text?',
    reason: 'text?',
    cached: 'bool',
    start_time: 'timestamptz?',
    end_time: 'timestamptz?',
    compensation_state: 'int2?',
    compensation_job_id: 'uuid?',
    compensation_reason: 'text?',
    compensation_start_time: 'timestamptz?',
    compensation_end_time: 'timestamptz?',
  },
} satisfies Statement;

// A wait has no attempt, and is no workflow. The index of children has no CANCELLING ones: what those still do is not
// looked at. Only jobs that wait have children, and nobody waits for detached ones.
const hasWaiting = {
  name: 'has_waiting_children',
  text: `
WITH RECURSIVE open AS (
  SELECT job_id, state, attempt FROM job_runs
  WHERE parent_job_id = $1 AND step <> ${DETACHED} AND state <> ${stateCodes.CANCELLING}
  UNION ALL
  SELECT c.job_id, c.state, c.attempt FROM open o CROSS JOIN LATERAL (
    SELECT job_id, state, attempt FROM job_runs
    WHERE o.state = ${stateCodes.WAITING} AND parent_job_id = o.job_id AND step <> ${DETACHED} AND state <> ${stateCodes.CANCELLING}
    OFFSET 0
  ) AS c
)
SELECT EXISTS (
  SELECT FROM (SELECT job_id, state, attempt FROM open LIMIT ${MAX_OPEN}) AS o
  WHERE CASE WHEN state = ${stateCodes.WAITING} AND attempt = 0
             THEN (SELECT true FROM workflow_runs w WHERE w.job_id = o.job_id OFFSET 0) IS NULL
             ELSE state IN (${stateCodes.BLOCKED}, ${stateCodes.PAUSED}) END
) AS waits`,
  row: { waits: 'bool' },
} satisfies Statement;

export function workflowReads(session: Session): WorkflowReads {
  return {
    readRun: async (jobId) => progressOf((await session.run(readRun, [jobId]))[0] ?? {}),
    readStates: async (jobId, afterStep) =>
      (await session.run(readStates, [jobId, afterStep])).map((row) => ({ step: row.step, state: stateOf(row) })),
    readSteps: async (jobId, steps) => (await session.run(readSteps, [jobId, steps])).map(recordOf),
    hasWaiting: async (jobId) => (await session.run(hasWaiting, [jobId]))[0]?.waits === true,
  };
}

function progressOf(row: Partial<RowOf<typeof readRun>>): WorkflowProgress {
  const counts = Object.fromEntries(states.map(([name]) => [name, row[name] ?? 0])) as Record<StepState, number>;
  const phase = typeof row.phase === 'number' ? phaseNames.get(row.phase) : undefined;
  return { phase, counts, cached: row.cached ?? 0 };
}

function stateOf({ state }: { readonly state: number }): StepState {
  const name = stateNames.get(state);
  if (!name) throw new Error(`no state of a step has the code ${state}`);
  return name;
}

function compensationOf(row: RowOf<typeof readSteps>): ShownCompensation | undefined {
  if (row.compensation_state === null) return undefined;
  return {
    state: stateOf({ state: row.compensation_state }) as ShownCompensation['state'],
    compensationId: row.compensation_job_id ?? undefined,
    reason: row.compensation_reason ?? undefined,
    startTimeUs: row.compensation_start_time ?? undefined,
    endTimeUs: row.compensation_end_time ?? undefined,
  };
}

function recordOf(row: RowOf<typeof readSteps>): StepRecord {
  return {
    step: row.step,
    state: stateOf(row),
    childId: row.child_job_id ?? undefined,
    iteration: row.iteration,
    fanOut: row.fan_out === null ? undefined : JSON.parse(row.fan_out),
    reason: row.reason ?? undefined,
    startTimeUs: row.start_time ?? undefined,
    endTimeUs: row.end_time ?? undefined,
    cached: row.cached,
    compensation: compensationOf(row),
  };
}
