/** A rolling upgrade: a migration under running replicas, which then restart one after the other. */
import { type Fault, require } from './fault.ts';

const columnAdded: Fault = {
  name: 'column added to each table, then each replica restarted',
  endsReplicas: true,
  async inflict({ run, dice }) {
    const { replicas } = run.deployment;
    const tables = await run.facts.query<{ name: string }>(
      `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
       WHERE nspname = 'muster' AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'chaos_journal'`,
    );
    const column = `added_${dice.int(0, 1e9)}`;
    for (const { name } of dice.shuffled(tables))
      await run.facts.query(`ALTER TABLE ${name} ADD COLUMN IF NOT EXISTS ${column} text`);
    await run.progress(30);
    for (const replica of dice.shuffled(replicas)) {
      await replica.end();
      await run.progress(10);
      await replica.start();
      await run.progress(10);
    }
    const what = `${tables.length} tables changed, ${replicas.length} replicas restarted`;
    return require(tables.length > 0, what);
  },
};

export const upgradeFaults: readonly Fault[] = [columnAdded];
