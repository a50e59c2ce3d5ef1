/** Manual changes of a job as it is made. */
import type { ManualChange } from '../../../engine/ports/namespaces.ts';
import type { Session } from '../../driver/database.ts';
import { insertAudits } from '../../namespaces/audit-records.ts';
import { writeSteps } from '../../workflows/workflow-rows.ts';

export async function writeManualChange(session: Session, { records, steps }: ManualChange): Promise<void> {
  await Promise.all([insertAudits(session, records), writeSteps(session, steps)]);
}
