/** What is wrong in a deployment's database, as `muster verify` finds it. */
import type { Session } from '../../../server/store/driver/database.ts';
import { verdictOf } from '../../../server/store/upkeep/verify.ts';
import { rules } from '../../../server/store/upkeep/verify-rules.ts';

/**
 * The faults by rule, as sentences; of the named rule alone if there is one. Nothing: all is well.
 *
 * @throws Error when no rule has the name
 */
export async function faultsIn(session: Session, name?: string): Promise<Record<string, readonly string[]>> {
  const chosen = rules.filter((rule) => name === undefined || rule.name === name);
  if (chosen.length === 0) throw new Error(`no rule is named ${name}: verify-rules.ts has their names`);
  const found: Record<string, readonly string[]> = {};
  for (const rule of chosen) {
    const { faults } = await verdictOf(session, rule);
    if (faults.length > 0) found[rule.name] = faults.map(({ subject, fault }) => `${subject} ${fault}`);
  }
  return found;
}
