/** What somebody does by hand with a job as it is made. */
import type { ByHand } from '../../engine/audit-views.ts';
import type { Session } from '../database.ts';
import { insertAudits } from './audit-records.ts';
import { writeSteps } from './workflow-rows.ts';

export async function writeByHand(session: Session, { records, steps }: ByHand): Promise<void> {
  await Promise.all([insertAudits(session, records), writeSteps(session, steps)]);
}
