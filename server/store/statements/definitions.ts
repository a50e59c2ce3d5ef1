/** Job definitions: immutable numbered versions. */
import type { JobDefinition } from '../../domain/definition.ts';
import type { Database, Session } from '../database.ts';

const readOne = {
  name: 'read_definition',
  text: `
SELECT version, content_hash, body, create_time FROM job_definitions
WHERE namespace = $1 AND name = $2 AND ($3 = 0 OR version = $3)
ORDER BY version DESC LIMIT 1`,
};

const insertOne = {
  name: 'insert_definition',
  text: `
INSERT INTO job_definitions (namespace, name, version, content_hash, body, create_time)
VALUES ($1, $2, $3, $4, $5, (SELECT muster_now()))
ON CONFLICT DO NOTHING
RETURNING create_time`,
};

const setRetention = {
  name: 'set_retention',
  text: `
INSERT INTO retentions (namespace, definition, retention_ms) VALUES ($1, $2, $3)
ON CONFLICT (namespace, definition) DO UPDATE SET retention_ms = excluded.retention_ms`,
};

interface Stored {
  readonly definition: JobDefinition;
  readonly contentHash: Uint8Array;
}

async function readStored(
  session: Session,
  namespace: string,
  name: string,
  version: number,
): Promise<Stored | undefined> {
  const [row] = await session.run(readOne, [namespace, name, version]);
  if (!row) return undefined;
  return {
    definition: { ...JSON.parse(row.body), version: row.version, createTimeUs: row.create_time },
    contentHash: row.content_hash,
  };
}

/** Version 0 is the newest. */
export async function readDefinition(
  session: Session,
  namespace: string,
  name: string,
  version: number,
): Promise<JobDefinition | undefined> {
  return (await readStored(session, namespace, name, version))?.definition;
}

/** How often a version number may be taken by somebody else meanwhile. */
const TRIES = 20;

/** Stores a version unless the newest has the same content. */
export function applyDefinition(
  database: Database,
  definition: JobDefinition,
  contentHash: Uint8Array,
  validateOnly: boolean,
): Promise<{ definition: JobDefinition; created: boolean }> {
  return database.transaction(async (session) => {
    const { namespace, name, version: _, createTimeUs: __, ...body } = definition;
    for (let i = 0; i < TRIES; i++) {
      const newest = await readStored(session, namespace, name, 0);
      if (newest && Buffer.compare(newest.contentHash, contentHash) === 0)
        return { definition: newest.definition, created: false };
      const version = (newest?.definition.version ?? 0) + 1;
      if (validateOnly) return { definition: { ...definition, version }, created: true };
      const [row] = await session.run(insertOne, [
        namespace,
        name,
        version,
        contentHash,
        JSON.stringify({ namespace, name, ...body }),
      ]);
      if (!row) continue;
      await session.run(setRetention, [namespace, name, definition.retentionMs]);
      return { definition: { ...definition, version, createTimeUs: row.create_time }, created: true };
    }
    throw Object.assign(new Error(`definition ${name} is being changed by too many callers at once`), {
      code: '40001',
    });
  });
}
