/** Results that came after their attempts had been closed: only that they came. */
import { attemptOutcomes } from '../../domain/jobs/run.ts';
import type { LateReport } from '../../engine/ports/attempts.ts';
import { inputTable } from '../base/input-table.ts';
import type { Session } from '../driver/database.ts';

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
