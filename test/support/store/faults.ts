/** What is wrong in a deployment's database, as `muster verify` finds it. */
import type { Session } from '../../../server/store/driver/database.ts';
import { verifyIn } from '../../../server/store/upkeep/verify.ts';

/** The faults by rule, as sentences; of the named rule alone if there is one. Nothing: all is well. */
export async function faultsIn(session: Session, rule?: string): Promise<Record<string, readonly string[]>> {
  const verdicts = await verifyIn(session);
  return Object.fromEntries(
    verdicts
      .filter(({ name, faultCount }) => faultCount > 0 && (rule === undefined || name === rule))
      .map(({ name, faults }) => [name, faults.map(({ subject, fault }) => `${subject} ${fault}`)]),
  );
}
