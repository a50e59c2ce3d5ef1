/** Compensations of workflow steps: a row for each step that may need one, read by key or from the last end. */
import { type StepState, stepStates } from '../../domain/workflows/step-state.ts';
import type { StepKey, WrittenCompensation } from '../../engine/ports/workflows.ts';
import { columnsOf } from '../base/columns.ts';
import { inputTable } from '../base/input-table.ts';
import { upsert } from '../base/upsert.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowType, RowWith } from '../driver/row-types.ts';

const columns = {
  job_id: 'uuid',
  step: 'smallint',
  end_number: 'int',
  state: 'smallint',
  compensation_job_id: 'uuid',
  reason: 'text',
};

const writeMany = {
  name: 'write_step_compensations',
  text: upsert('step_compensations', columns, ['job_id', 'step']),
};

/** Max one row per step. The caller has locked the workflow. */
export async function writeCompensations(session: Session, written: readonly WrittenCompensation[]): Promise<void> {
  if (written.length === 0) return;
  await session.run(writeMany, [
    written.map((item) => item.jobId),
    written.map((item) => item.step),
    written.map((item) => item.endNumber),
    written.map((item) => stepStates[item.state]),
    written.map((item) => item.compensationId),
    written.map((item) => item.reason),
  ]);
}

const names = new Map(Object.entries(stepStates).map(([name, code]) => [code as number, name as StepState]));

const compensationRowType = {
  job_id: 'uuid',
  step: 'int2',
  end_number: 'int4',
  state: 'int2',
  compensation_job_id: 'uuid?',
  reason: 'text?',
} satisfies RowType;

function compensationOf(row: RowWith<typeof compensationRowType>): WrittenCompensation {
  return {
    jobId: row.job_id,
    step: row.step,
    endNumber: row.end_number,
    state: names.get(row.state) as WrittenCompensation['state'],
    compensationId: row.compensation_job_id ?? undefined,
    reason: row.reason ?? undefined,
  };
}

const readMany = {
  name: 'read_step_compensations',
  text: `
SELECT ${columnsOf(compensationRowType, 'c')} FROM ${inputTable({ job_id: 'uuid', step: 'smallint' }, 'i')}
CROSS JOIN LATERAL (
  SELECT * FROM step_compensations s WHERE s.job_id = i.job_id AND s.step = i.step OFFSET 0
) AS c`,
  row: compensationRowType,
} satisfies Statement;

export async function readCompensations(session: Session, keys: readonly StepKey[]): Promise<WrittenCompensation[]> {
  if (keys.length === 0) return [];
  const rows = await session.run(readMany, [keys.map((key) => key.jobId), keys.map((key) => key.step)]);
  return rows.map(compensationOf);
}

const readAllOf = {
  name: 'read_compensations_of',
  text: `SELECT ${columnsOf(compensationRowType)} FROM step_compensations WHERE job_id = $1`,
  row: compensationRowType,
} satisfies Statement;

export async function readCompensationsOf(session: Session, jobId: string): Promise<WrittenCompensation[]> {
  return (await session.run(readAllOf, [jobId])).map(compensationOf);
}

const readWaiting = {
  name: 'read_next_compensation',
  text: `
SELECT ${columnsOf(compensationRowType)} FROM step_compensations
WHERE job_id = $1 AND state = ${stepStates.WAITING} AND end_number < coalesce($2::int, 2147483647)
ORDER BY job_id DESC, end_number DESC LIMIT 1`,
  row: compensationRowType,
} satisfies Statement;

/** Of the steps that wait, the one that ended last; with `before`, the last one before that end. */
export async function readNextCompensation(
  session: Session,
  jobId: string,
  before: number | undefined,
): Promise<WrittenCompensation | undefined> {
  const [row] = await session.run(readWaiting, [jobId, before ?? null]);
  return row && compensationOf(row);
}
