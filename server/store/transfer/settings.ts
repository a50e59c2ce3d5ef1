/** Settings of a transaction that moves a whole deployment: it takes long, and reads whole tables. */
import type { Session } from '../driver/database.ts';

/** Max duration of a statement, and of the idle time between two: a count of a large table, a slow disk. */
export const LONGEST_MS = 600_000;

const settings = {
  statement_timeout: String(LONGEST_MS),
  idle_in_transaction_session_timeout: String(LONGEST_MS),
  plan_cache_mode: 'auto',
  enable_seqscan: 'on',
  enable_hashjoin: 'on',
  // The text form of values must be lossless, whatever the role's settings are.
  extra_float_digits: '1',
  bytea_output: 'hex',
  datestyle: 'ISO, YMD',
  intervalstyle: 'iso_8601',
};

const set = {
  name: '',
  text: `SELECT ${Object.entries(settings)
    .map(([name, value]) => `set_config('${name}', '${value}', true)`)
    .join(', ')}`,
};

export async function transferSettings(session: Session): Promise<void> {
  await session.run(set, []);
}
