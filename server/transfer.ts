/** Wires an export or an import: opens the database, and makes sure that no control plane serves it. */
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { lockDataFolder } from './data-lock.ts';
import type { Database } from './store/driver/database.ts';
import { firstContact } from './store/driver/first-contact.ts';
import { openPglite } from './store/driver/pglite.ts';
import { refuseTransactionPooling } from './store/driver/pooler.ts';
import { openPostgres } from './store/driver/postgres.ts';
import { readSchemaVersion } from './store/transfer/catalogue.ts';
import { exportDeployment, type TransferProgress } from './store/transfer/export-deployment.ts';
import type { ExportHeader } from './store/transfer/export-format.ts';
import { checkImport, importDeployment } from './store/transfer/import-deployment.ts';
import { refuseConnected, refuseLive } from './store/transfer/in-use.ts';
import { TransferRefusal } from './store/transfer/refusal.ts';
import { LONGEST_MS } from './store/transfer/settings.ts';
import { version } from './version.ts';

/** Location of a deployment: a data folder, or a PostgreSQL database. */
export type Location = { readonly dataFolder: string } | { readonly postgresUrl: string };

export { type ExportHeader, type TransferProgress, TransferRefusal };

type OnProgress = (progress: TransferProgress) => void;

/** PostgreSQL shows other connections, and until when workers' sessions live; both only approximately. */
async function withPostgres<T>(url: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = openPostgres({ url, poolSize: 2, answerMs: 2 * LONGEST_MS, applicationName: 'muster transfer' });
  try {
    await firstContact(database);
    await refuseTransactionPooling(url);
    await refuseConnected(database);
    if ((await readSchemaVersion(database)) !== undefined) await refuseLive(database);
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

function withDatabase<T>(location: Location, work: (database: Database) => Promise<T>): Promise<T> {
  return 'postgresUrl' in location ? withPostgres(location.postgresUrl, work) : withFolder(location.dataFolder, work);
}

/**
 * Exports a deployment that nobody serves into a new file that only its owner may read: it contains every payload, and
 * the key that signs page tokens.
 *
 * @throws Error with the obstacle; then there is no file.
 */
export async function exportTo(file: string, location: Location, onProgress?: OnProgress): Promise<ExportHeader> {
  if ('dataFolder' in location && !existsSync(join(location.dataFolder, 'postgres', 'PG_VERSION'))) {
    throw new TransferRefusal(
      `${resolve(location.dataFolder)} holds no embedded database: name the data folder with --data`,
    );
  }
  return withDatabase(location, (database) => exportDeployment(database, file, { release: version, onProgress }));
}

/**
 * Imports a file into an empty or new deployment that nobody serves.
 *
 * @throws Error with the obstacle; then nothing was stored.
 */
export async function importFrom(file: string, location: Location, onProgress?: OnProgress): Promise<ExportHeader> {
  const header = await checkImport(file, { onProgress });
  await withDatabase(location, (database) => importDeployment(database, file, header, { onProgress }));
  return header;
}
