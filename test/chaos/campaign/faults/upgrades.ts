/** Rolling upgrades: a migration under running replicas, and two commits next to each other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lackOfCommit, remove, root, unpack } from '../../../support/base/checkout.ts';
import { RandomReplicas } from '../../load/random-replicas.ts';
import { restartOn } from '../restart.ts';
import { type Fault, require } from './fault.ts';

const MIN_CONNECTIONS = 10;

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

const baseline = readFileSync(join(root, '.ci/baseline'), 'utf8').trim();

/**
 * The database is of this commit. Once a migration is breaking, the baseline refuses it, as promised: then the baseline
 * has to move, too.
 */
const releasesMixed: Fault = {
  name: 'replicas of the commit in .ci/baseline, one after the other, and back',
  endsReplicas: true,
  // A replica of an older commit gives each session the lease of its own settings, and knows no PgBouncer.
  fits: ({ settings, pooler }) => settings.length === 0 && !pooler,
  mixesReleases: true,
  lack: () => lackOfCommit(baseline),
  async inflict({ run, dice, violations }) {
    const { replicas } = run.deployment;
    const unpacked = unpack(baseline);
    const before = new Map(replicas.map((replica) => [replica, replica.checkout]));
    const callers = await RandomReplicas.start(run, dice.fork());
    try {
      for (const replica of dice.shuffled(replicas)) await restartOn(run, replica, unpacked);
      for (const replica of dice.shuffled(replicas)) await restartOn(run, replica, before.get(replica) ?? root);
      violations.push(...(await callers.finish()));
    } finally {
      await callers.stop();
      remove(unpacked);
    }
    const { rounds, connections, refusedPositions } = callers;
    const old = connections.get(unpacked) ?? 0;
    const others = [...connections.values()].reduce((sum, n) => sum + n, 0) - old;
    const what = `${old} connections to ${baseline.slice(0, 8)}, ${others} to others, in ${rounds} rounds`;
    return require(Math.min(old, others) >= MIN_CONNECTIONS, `${what}; ${refusedPositions} positions refused`);
  },
};

export const upgradeFaults: readonly Fault[] = [columnAdded, releasesMixed];
