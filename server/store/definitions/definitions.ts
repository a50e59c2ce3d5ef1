/** Job definitions: immutable numbered versions, and the archive flag of those that take no new jobs. */
import { namesOf } from '../../domain/base/codes.ts';
import type { JobDefinition } from '../../domain/definitions/definition.ts';
import { type RolloutSettings, type RolloutState, rolloutStates } from '../../domain/definitions/rollout.ts';
import type { DefinitionPage, DefinitionQuery, StoredDefinition } from '../../engine/ports/definitions.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';

const archived = `LEFT JOIN archived_definitions a ON ${sameKey('a.namespace', 'd.namespace')} AND ${sameKey('a.name', 'd.name')}`;

// Unless all new jobs take the version.
const rolledOut = `LEFT JOIN rollouts r ON ${sameKey('r.namespace', 'd.namespace')} AND ${sameKey('r.definition', 'd.name')}
  AND r.version = d.version AND r.state IN (${rolloutStates.OPEN}, ${rolloutStates.ROLLED_BACK})`;

const readOne = {
  name: 'read_definition',
  text: `
SELECT d.version, d.content_hash, d.body, d.create_time, a.archive_time, r.state AS rollout_state, r.base_version, r.settings, r.step, r.served
FROM job_definitions d ${archived} ${rolledOut}
WHERE d.namespace = $1 AND d.name = $2 AND ($3 = 0 OR d.version = $3)
ORDER BY d.version DESC LIMIT 1`,
  row: {
    version: 'int4',
    content_hash: 'bytea',
    body: 'text',
    create_time: 'timestamptz',
    archive_time: 'timestamptz?',
    rollout_state: 'int2?',
    base_version: 'int4?',
    settings: 'text?',
    step: 'int2?',
    served: 'bool?',
  },
} satisfies Statement;

const findOne = {
  name: 'find_definition',
  text: `
SELECT d.version, d.body, d.create_time, a.archive_time FROM job_definitions d ${archived}
WHERE d.namespace = $1 AND d.name = $2 AND d.content_hash = $3
ORDER BY d.version DESC LIMIT 1`,
  row: { version: 'int4', body: 'text', create_time: 'timestamptz', archive_time: 'timestamptz?' },
} satisfies Statement;

/** Bytes of definitions after which a page ends: an answer has to fit into the 4 MiB that clients accept. */
const PAGE_BYTES = 2 << 20;

// Hops from name to name along the primary key, so that old versions cost nothing, and stops once the page is full.
// Lengths are known without a read of the bodies.
const listNewest = {
  name: 'list_definitions',
  text: `
WITH RECURSIVE names AS (
  (SELECT namespace, name FROM job_definitions WHERE namespace = $1 AND name > $2 ORDER BY name LIMIT 1)
  UNION ALL
  SELECT n.namespace, n.name FROM names CROSS JOIN LATERAL (
    SELECT namespace, name FROM job_definitions WHERE namespace = $1 AND name > names.name ORDER BY name LIMIT 1
  ) AS n
),
page AS MATERIALIZED (
  SELECT d.namespace, d.name, a.archive_time FROM names d ${archived} WHERE $4 OR a.archive_time IS NULL LIMIT $3 + 1
),
sized AS (
  SELECT page.name, page.archive_time, d.*, count(*) OVER ()::int AS found,
         sum(octet_length(d.body)) OVER (ORDER BY page.name) - octet_length(d.body) AS bytes_before
  FROM page CROSS JOIN LATERAL (
    SELECT version, body, create_time FROM job_definitions
    WHERE namespace = page.namespace AND name = page.name ORDER BY version DESC LIMIT 1
  ) AS d
)
SELECT version, body, create_time, archive_time, found FROM sized WHERE bytes_before < ${PAGE_BYTES} ORDER BY name LIMIT $3`,
  row: { version: 'int4', body: 'text', create_time: 'timestamptz', archive_time: 'timestamptz?', found: 'int4' },
} satisfies Statement;

const insertOne = {
  name: 'insert_definition',
  text: `
INSERT INTO job_definitions (namespace, name, version, content_hash, body, create_time)
VALUES ($1, $2, $3, $4, $5, (SELECT muster_now()))
ON CONFLICT DO NOTHING
RETURNING create_time`,
  row: { create_time: 'timestamptz' },
} satisfies Statement;

const archiveOne = {
  name: 'archive_definition',
  text: `
INSERT INTO archived_definitions (namespace, name, archive_time)
SELECT $1, $2, (SELECT muster_now()) WHERE EXISTS (SELECT FROM job_definitions WHERE namespace = $1 AND name = $2)
ON CONFLICT DO NOTHING`,
};

const restoreOne = {
  name: 'restore_definition',
  text: 'DELETE FROM archived_definitions WHERE namespace = $1 AND name = $2',
};

function definitionOf(row: RowOf<typeof findOne>): JobDefinition {
  return {
    ...JSON.parse(row.body),
    version: row.version,
    createTimeUs: row.create_time,
    archiveTimeUs: row.archive_time ?? undefined,
  };
}

const stateOf = namesOf(rolloutStates);

function readOf(row: RowOf<typeof readOne>): JobDefinition {
  const definition = definitionOf(row);
  if (row.rollout_state === null) return definition;
  const { steps, labels }: RolloutSettings = JSON.parse(row.settings ?? '');
  const { version } = row;
  const percent = steps[row.step ?? 0]?.percent ?? 0;
  const state = stateOf(row.rollout_state) as RolloutState;
  const baseVersion = row.base_version as number;
  return { ...definition, rollout: { version, baseVersion, state, percent, labels, served: row.served ?? false } };
}

/** Version 0 is the newest. */
export async function readDefinition(
  session: Session,
  namespace: string,
  name: string,
  version: number,
): Promise<JobDefinition | undefined> {
  return (await session.run(readOne, [namespace, name, version])).map(readOf)[0];
}

export async function readNewestDefinition(
  session: Session,
  namespace: string,
  name: string,
): Promise<StoredDefinition | undefined> {
  const [row] = await session.run(readOne, [namespace, name, 0]);
  return row && { definition: readOf(row), contentHash: row.content_hash };
}

/** The newest version with this content. */
export async function findDefinition(
  session: Session,
  namespace: string,
  name: string,
  contentHash: Uint8Array,
): Promise<JobDefinition | undefined> {
  return (await session.run(findOne, [namespace, name, contentHash])).map(definitionOf)[0];
}

export async function listDefinitions(session: Session, asked: DefinitionQuery): Promise<DefinitionPage> {
  const { namespace, afterName, limit, showArchived } = asked;
  const rows = await session.run(listNewest, [namespace, afterName, limit, showArchived]);
  return { definitions: rows.map(definitionOf), hasMore: rows.length < (rows[0]?.found ?? 0) };
}

/** Returns the time of the insert. Undefined: the version exists. */
export async function insertDefinition(
  session: Session,
  definition: JobDefinition,
  contentHash: Uint8Array,
): Promise<number | undefined> {
  const { version, createTimeUs: _, archiveTimeUs: __, rollout: ___, ...body } = definition;
  const { namespace, name } = definition;
  const [row] = await session.run(insertOne, [namespace, name, version, contentHash, JSON.stringify(body)]);
  return row?.create_time;
}

export async function putInArchive(session: Session, namespace: string, name: string): Promise<void> {
  await session.run(archiveOne, [namespace, name]);
}

export async function takeFromArchive(session: Session, namespace: string, name: string): Promise<void> {
  await session.run(restoreOne, [namespace, name]);
}
