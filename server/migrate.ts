/** Wires a migration of a PostgreSQL database without a replica. */
import type { Log } from './engine/ports/ports.ts';
import { withDatabase } from './location.ts';
import { migrate, newestVersion } from './store/migrate.ts';

/** @returns The version of the schema. @throws Error with the obstacle; a migration is applied whole or not at all. */
export function migratePostgres(postgresUrl: string, log: Pick<Log, 'info'>): Promise<number> {
  return withDatabase({ postgresUrl }, 'muster migrate', async (database) => {
    await migrate(database, { log });
    return newestVersion();
  });
}
