/** The database of the simulation, with a journal of every change. */
import { SimPostgres } from '../../../server/tools/simulate/sim-postgres.ts';
import { flowJournalSchema } from './flow-journal.ts';
import { journalSchema } from './journal.ts';
import { linkJournalSchema } from './link-journal.ts';

const settings = { search_path: 'muster', timezone: 'UTC', jit: 'off', plan_cache_mode: 'force_generic_plan' };

export function openSimPostgres(): Promise<SimPostgres> {
  return SimPostgres.open({ settings, script: journalSchema + flowJournalSchema + linkJournalSchema });
}
