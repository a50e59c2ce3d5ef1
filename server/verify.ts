/** Wires a verification: opens the database, and makes sure that this release knows its schema. */
import { type Location, requireDatabase, withDatabase } from './location.ts';
import { newestVersion } from './store/migrate.ts';
import { readSchemaVersion } from './store/transfer/catalogue.ts';
import { TransferRefusal } from './store/transfer/refusal.ts';
import { type Verdict, verify } from './store/upkeep/verify.ts';

export type { Verdict };

/**
 * Verifies a deployment. Replicas may serve a PostgreSQL database meanwhile; a data folder must not be served.
 *
 * @throws TransferRefusal with the obstacle.
 */
export async function verifyDeployment(
  location: Location,
  onVerdict?: (verdict: Verdict) => void,
): Promise<readonly Verdict[]> {
  requireDatabase(location);
  return withDatabase(location, 'muster verify', async (database) => {
    const version = await readSchemaVersion(database);
    if (version !== newestVersion()) {
      const found = version === undefined ? 'no schema of Muster' : `schema version ${version}`;
      throw new TransferRefusal(
        `the database has ${found}, and this release verifies version ${newestVersion()}: use the release that serves it`,
      );
    }
    return verify(database, onVerdict);
  });
}
