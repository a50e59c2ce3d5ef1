/** The database of the simulation: every change leaves its trace in the journal. */
import { SimPostgres } from '../../../server/tools/simulate/sim-postgres.ts';
import { flowJournalSchema } from './flow-journal.ts';
import { journalSchema } from './journal.ts';
import { linkJournalSchema } from './link-journal.ts';

const settings = { search_path: 'muster', timezone: 'UTC', jit: 'off', plan_cache_mode: 'force_generic_plan' };

export function openSimPostgres(): Promise<SimPostgres> {
  return SimPostgres.open({ settings, script: journalSchema + flowJournalSchema + linkJournalSchema });
}
