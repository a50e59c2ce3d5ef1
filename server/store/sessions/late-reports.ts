/** Results that came after their attempts had been closed: only that they came. */
import { attemptOutcomes } from '../../domain/jobs/run.ts';
import type { LateReport, NotedReport } from '../../engine/ports/attempts.ts';
import { inputTable } from '../base/input-table.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';

const insertSome = {
  name: 'insert_late_reports',
  text: `
INSERT INTO late_reports (job_id, attempt, outcome, report_time)
SELECT job_id, attempt, outcome, (SELECT muster_now()) FROM ${inputTable({ job_id: 'uuid', attempt: 'int', outcome: 'smallint' }, 'i')}
ORDER BY job_id, attempt ON CONFLICT DO NOTHING`,
};

export async function noteLateReports(session: Session, reports: readonly LateReport[]): Promise<void> {
  await session.run(insertSome, [
    reports.map(({ jobId }) => jobId),
    reports.map(({ attempt }) => attempt),
    reports.map(({ outcome }) => attemptOutcomes[outcome]),
  ]);
}

const readSome = {
  name: 'read_late_reports',
  text: `
SELECT l.job_id, l.attempt, l.outcome, l.report_time FROM unnest($1::uuid[]) AS i (job_id)
CROSS JOIN LATERAL (SELECT * FROM late_reports WHERE late_reports.job_id = i.job_id ORDER BY attempt DESC LIMIT 100) AS l`,
  row: { job_id: 'uuid', attempt: 'int4', outcome: 'int2', report_time: 'timestamptz' },
} satisfies Statement;

export async function readLateReports(
  session: Session,
  jobIds: readonly string[],
): Promise<ReadonlyMap<string, NotedReport[]>> {
  const rows = Map.groupBy(await session.run(readSome, [jobIds]), (row) => row.job_id);
  return new Map(Array.from(rows, ([jobId, ofJob]) => [jobId, ofJob.map(notedReport)]));
}

function notedReport({ job_id, attempt, outcome, report_time }: RowOf<typeof readSome>): NotedReport {
  const isSuccess = outcome === attemptOutcomes.SUCCEEDED;
  return { jobId: job_id, attempt, outcome: isSuccess ? 'SUCCEEDED' : 'FAILED', timeUs: report_time };
}
