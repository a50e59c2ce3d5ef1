/** What is wrong in a deployment's database, as `muster verify` finds it. */
import type { Session } from '../../../server/store/driver/database.ts';
import { verifyIn } from '../../../server/store/upkeep/verify.ts';
import { rules } from '../../../server/store/upkeep/verify-rules.ts';

/** The faults by rule, as sentences; of the named rule alone if there is one. Nothing: all is well. */
export async function faultsIn(session: Session, rule?: string): Promise<Record<string, readonly string[]>> {
  const chosen = rules.filter(({ name }) => rule === undefined || name === rule);
  if (chosen.length === 0) throw new Error(`no rule is named ${rule}`);
  const verdicts = await verifyIn(session, undefined, chosen);
  return Object.fromEntries(
    verdicts
      .filter(({ faultCount }) => faultCount > 0)
      .map(({ name, faults }) => [name, faults.map(({ subject, fault }) => `${subject} ${fault}`)]),
  );
}
