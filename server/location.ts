/** Location of a deployment, and work on its database without a control plane. */
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { lockDataFolder } from './data-lock.ts';
import type { Database } from './store/driver/database.ts';
import { firstContact } from './store/driver/first-contact.ts';
import { openPglite } from './store/driver/pglite.ts';
import { refuseTransactionPooling } from './store/driver/pooler.ts';
import { openPostgres } from './store/driver/postgres.ts';
import { TransferRefusal } from './store/transfer/refusal.ts';
import { LONGEST_MS } from './store/transfer/settings.ts';

/** A data folder, or a PostgreSQL database. */
export type Location = { readonly dataFolder: string } | { readonly postgresUrl: string };

async function withPostgres<T>(url: string, name: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = openPostgres({ url, poolSize: 2, answerMs: 2 * LONGEST_MS, applicationName: name });
  try {
    await firstContact(database);
    await refuseTransactionPooling(url);
    return await work(database);
  } finally {
    await database.close();
  }
}

/** The lock of a data folder is exact: any server of it holds the lock. */
async function withFolder<T>(dataFolder: string, work: (database: Database) => Promise<T>): Promise<T> {
  const folder = resolve(dataFolder);
  const unlock = lockDataFolder(folder);
  try {
    const inner = join(folder, 'postgres');
    mkdirSync(inner, { recursive: true, mode: 0o700 });
    const database = await openPglite({ dataDir: inner });
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  } finally {
    unlock();
  }
}

/** `name`: of the connections, as PostgreSQL shows them. */
export function withDatabase<T>(
  location: Location,
  name: string,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  return 'postgresUrl' in location
    ? withPostgres(location.postgresUrl, name, work)
    : withFolder(location.dataFolder, work);
}

/** @throws TransferRefusal if the location is a data folder without a database. */
export function requireDatabase(location: Location): void {
  if (!('dataFolder' in location) || existsSync(join(location.dataFolder, 'postgres', 'PG_VERSION'))) return;
  throw new TransferRefusal(
    `${resolve(location.dataFolder)} holds no embedded database: name the data folder with --data`,
  );
}
