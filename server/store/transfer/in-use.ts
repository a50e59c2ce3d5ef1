/** Checks that a deployment may be moved: no replica serves it, and a target is empty. */

import type { Session, Statement } from '../driver/database.ts';
import { REPLICA_NAME } from '../driver/postgres.ts';
import { MIGRATION_LOCK } from '../migrate.ts';
import { type CataloguedTable, quoted } from './catalogue.ts';
import { TransferRefusal } from './refusal.ts';

/** Tables that migrations put rows into: in an unused deployment only these have rows. */
export const seededTables: ReadonlySet<string> = new Set(['deployment_keys', 'outbox_turns']);

const countReplicas = {
  name: '',
  text: `
SELECT count(*)::int AS connections FROM pg_stat_activity
WHERE datname = current_database() AND application_name = '${REPLICA_NAME}' AND pid <> pg_backend_pid()`,
  row: { connections: 'int4' },
} satisfies Statement;

const readLiveLease = {
  name: '',
  text: `
SELECT ceil(extract(epoch FROM max(lease_until) - muster_now()))::int AS seconds
FROM sessions WHERE state <> 3 AND lease_until > muster_now()`,
  row: { seconds: 'int4?' },
} satisfies Statement;

/** @throws Error if replicas are connected, as far as PostgreSQL knows. */
export async function refuseConnected(session: Session): Promise<void> {
  const [row] = await session.run(countReplicas, []);
  if (row && row.connections > 0) {
    throw new TransferRefusal(
      `a control plane is connected to this database (${row.connections} connections): stop every replica, then try again`,
    );
  }
}

/** @throws Error while a worker's session is live: a replica renews it, or did so until a moment ago. */
export async function refuseLive(session: Session): Promise<void> {
  const [row] = await session.run(readLiveLease, []);
  if (row?.seconds) {
    throw new TransferRefusal(
      `workers' sessions of this database are live: stop every replica; if that is done, try again in ${row.seconds} s, ` +
        'when the last lease has ended',
    );
  }
}

/** Keeps replicas from starting on this database until the transaction ends. Never waits. */
export async function holdSchema(session: Session, how: 'shared' | 'alone'): Promise<void> {
  const name = how === 'shared' ? 'pg_try_advisory_xact_lock_shared' : 'pg_try_advisory_xact_lock';
  const [row] = await session.run(
    { name: '', text: `SELECT ${name}(${MIGRATION_LOCK}) AS mine`, row: { mine: 'bool' } },
    [],
  );
  if (!row?.mine) {
    throw new TransferRefusal(
      'a replica is starting on this database, or another export or import is under way: try again later',
    );
  }
}

/** @throws Error that names a table with rows in it. */
export async function refuseFull(session: Session, tables: readonly CataloguedTable[]): Promise<void> {
  for (const { name } of tables) {
    if (seededTables.has(name)) continue;
    const [row] = await session.run(
      { name: '', text: `SELECT EXISTS (SELECT FROM ${quoted(name)}) AS any`, row: { any: 'bool' } },
      [],
    );
    if (row?.any) {
      throw new TransferRefusal(
        `the deployment to import into is not empty ("${name}" has rows): import into a new database or data folder. ` +
          'Nothing was changed',
      );
    }
  }
}
