/** Databases that a run prepares once for all its processes, each at its first request. `prepare.ts` makes them. */
import { cpSync, readFileSync } from 'node:fs';
import type { PgliteOptions } from '../../../server/store/driver/pglite.ts';

/**
 * `folder`: a folder to copy. `snapshot`: the initial state of an embedded database in memory. `server`: the URL of a
 * database on a running PostgreSQL that tests share.
 */
export type Prepared = `pglite ${'folder' | 'snapshot'}` | `postgres-${16 | 18} ${'folder' | 'server'}`;

/** The environment variable with the address of `prepare.ts`, in every process of the run. */
export const PREPARED_URL = 'MUSTER_TEST_PREPARED_URL';

/** Path or URL of the part; undefined outside of a test run, as in a benchmark. */
export async function prepared(part: Prepared): Promise<string | undefined> {
  const url = process.env[PREPARED_URL];
  if (url === undefined) return undefined;
  const response = await fetch(new URL(encodeURIComponent(part), url), { headers: { connection: 'close' } });
  const answer = await response.text();
  if (!response.ok) throw new Error(answer);
  return answer;
}

/** Makes `folder` an embedded database with the schema. Outside of a test run the folder is unchanged. */
export async function copyPglite(folder: string): Promise<void> {
  const template = await prepared('pglite folder');
  if (template !== undefined) cpSync(template, folder, { recursive: true });
}

/** Options of an embedded database in memory with the schema. Outside of a test run it is empty. */
export async function inMemory(): Promise<PgliteOptions> {
  const snapshot = await prepared('pglite snapshot');
  return { dataDir: 'memory://', ...(snapshot === undefined ? {} : { snapshot: readFileSync(snapshot) }) };
}
