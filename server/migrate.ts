/** Wires a migration of a PostgreSQL database without a replica. */
import type { Log } from './engine/ports/ports.ts';
import { firstContact } from './store/driver/first-contact.ts';
import { refuseTransactionPooling } from './store/driver/pooler.ts';
import { openPostgres } from './store/driver/postgres.ts';
import { migrate, newestVersion } from './store/migrate.ts';

/** @returns The version of the schema. @throws Error with the obstacle; a migration is applied whole or not at all. */
export async function migratePostgres(url: string, log: Pick<Log, 'info'>): Promise<number> {
  const database = openPostgres({ url, poolSize: 2, applicationName: 'muster migrate' });
  try {
    await firstContact(database);
    await refuseTransactionPooling(url);
    await migrate(database, { log });
    return newestVersion();
  } finally {
    await database.close();
  }
}
