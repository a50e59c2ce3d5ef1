/** Wires an export or an import: opens the database, and makes sure that no control plane serves it. */
import { type Location, requireDatabase, withDatabase } from './location.ts';
import type { Database } from './store/driver/database.ts';
import { readSchemaVersion } from './store/transfer/catalogue.ts';
import { exportDeployment, type TransferProgress } from './store/transfer/export-deployment.ts';
import type { ExportHeader } from './store/transfer/export-format.ts';
import { checkImport, importDeployment } from './store/transfer/import-deployment.ts';
import { refuseConnected, refuseLive } from './store/transfer/in-use.ts';
import { TransferRefusal } from './store/transfer/refusal.ts';
import { version } from './version.ts';

export { type ExportHeader, type TransferProgress, TransferRefusal };

type OnProgress = (progress: TransferProgress) => void;

/** PostgreSQL shows other connections, and until when workers' sessions live; both only approximately. */
function alone<T>(location: Location, work: (database: Database) => Promise<T>): Promise<T> {
  return withDatabase(location, 'muster transfer', async (database) => {
    if ('postgresUrl' in location) {
      await refuseConnected(database);
      if ((await readSchemaVersion(database)) !== undefined) await refuseLive(database);
    }
    return work(database);
  });
}

/**
 * Exports a deployment that nobody serves into a new file that only its owner may read: it contains every payload, and
 * the key that signs page tokens.
 *
 * @throws Error with the obstacle; then there is no file.
 */
export async function exportTo(file: string, location: Location, onProgress?: OnProgress): Promise<ExportHeader> {
  requireDatabase(location);
  return alone(location, (database) => exportDeployment(database, file, { release: version, onProgress }));
}

/**
 * Imports a file into an empty or new deployment that nobody serves.
 *
 * @throws Error with the obstacle; then nothing was stored.
 */
export async function importFrom(file: string, location: Location, onProgress?: OnProgress): Promise<ExportHeader> {
  const header = await checkImport(file, { onProgress });
  await alone(location, (database) => importDeployment(database, file, header, { onProgress }));
  return header;
}
