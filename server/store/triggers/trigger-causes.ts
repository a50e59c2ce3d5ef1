/** What has happened for triggers: new, and held until the rest has happened. */
import { stateOf } from '../../domain/jobs/job-state.ts';
import type { HeldCause } from '../../domain/triggers/advance.ts';
import { causeSources } from '../../domain/triggers/condition.ts';
import type { CausedTriggers, ProgressRow, ReadCause } from '../../engine/ports/triggers.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import { timestampOf } from '../base/times.ts';
import type { Session, Statement } from '../driver/database.ts';
import type { RowOf, RowType } from '../driver/row-types.ts';

/** Maximum new causes taken together, in rows and in bytes of payloads; the first one is taken whatever its size. */
const MAX_NEW = 100;
const MAX_NEW_BYTES = 4 << 20;

const NIL = '00000000-0000-0000-0000-000000000000';

// One look-up for each trigger found, however many causes it has.
const findSome = {
  name: 'find_caused_triggers',
  text: `
WITH RECURSIVE found AS (
  (SELECT trigger_id FROM trigger_causes WHERE key IS NULL AND trigger_id > $1 ORDER BY trigger_id LIMIT 1)
  UNION ALL
  SELECT (SELECT c.trigger_id FROM trigger_causes c WHERE c.key IS NULL AND c.trigger_id > f.trigger_id ORDER BY c.trigger_id LIMIT 1)
  FROM found f WHERE f.trigger_id IS NOT NULL
)
SELECT ARRAY(SELECT trigger_id FROM found WHERE trigger_id IS NOT NULL LIMIT $2) AS trigger_ids,
       EXISTS (SELECT FROM trigger_sources WHERE source = ${causeSources.JOB}) AS watches_jobs`,
  row: { trigger_ids: 'uuid[]', watches_jobs: 'bool' },
} satisfies Statement;

export async function findCaused(session: Session, after: string | undefined, limit: number): Promise<CausedTriggers> {
  const [row] = await session.run(findSome, [after ?? NIL, limit]);
  return { triggerIds: row?.trigger_ids ?? [], watchesJobs: row?.watches_jobs ?? false };
}

const contentRow = {
  row_id: 'int8',
  number: 'int2',
  cause_time: 'timestamptz',
  bytes: 'int4',
  job_id: 'uuid?',
  state: 'int2?',
  version: 'int8?',
  nominal_time: 'timestamptz?',
  signal_key: 'text?',
  payload: 'bytea?',
  content_type: 'text?',
  labels: 'jsonb?',
  is_current: 'bool',
} satisfies RowType;

const labelsOf =
  'LEFT JOIN LATERAL (SELECT labels FROM jobs WHERE jobs.job_id = c.job_id AND c.state IS NOT NULL OFFSET 0) AS j ON true';
const content = `c.row_id, c.number, c.cause_time, coalesce(octet_length(c.payload), 0) AS bytes, c.job_id, c.state, c.version, c.nominal_time, c.signal_key,
       EXISTS (
         SELECT FROM trigger_sources t WHERE t.trigger_id = c.trigger_id AND t.number = c.number AND t.edition = c.edition OFFSET 0
       ) AS is_current`;

const readSome = {
  name: 'read_new_causes',
  text: `
WITH sized AS (
  SELECT row_id, row_number() OVER w AS place, sum(octet_length(payload)) OVER w AS bytes
  FROM (SELECT row_id, payload FROM trigger_causes WHERE trigger_id = $1 AND key IS NULL ORDER BY row_id LIMIT ${MAX_NEW}) AS n
  WINDOW w AS (ORDER BY row_id)
)
SELECT ${content}, c.payload, c.content_type, j.labels
FROM sized s CROSS JOIN LATERAL (SELECT * FROM trigger_causes WHERE trigger_causes.row_id = s.row_id OFFSET 0) AS c ${labelsOf}
WHERE s.place = 1 OR coalesce(s.bytes, 0) <= ${MAX_NEW_BYTES} ORDER BY c.row_id`,
  row: contentRow,
} satisfies Statement;

export async function readNew(session: Session, triggerId: string): Promise<ReadCause[]> {
  return (await session.run(readSome, [triggerId])).map(readCause);
}

const readThose = {
  name: 'read_causes',
  text: `
SELECT ${content}, CASE WHEN c.row_id = ANY ($2::bigint[]) THEN NULL ELSE c.payload END AS payload, c.content_type, j.labels
FROM trigger_causes c ${labelsOf} WHERE c.row_id = ANY ($1::bigint[])`,
  row: contentRow,
} satisfies Statement;

export async function readCauses(
  session: Session,
  rowIds: readonly number[],
  withoutPayload: readonly number[],
): Promise<ReadCause[]> {
  return (await session.run(readThose, [rowIds, withoutPayload])).map(readCause);
}

function readCause(row: RowOf<typeof readSome>): ReadCause {
  return {
    rowId: row.row_id,
    number: row.number,
    timeUs: row.cause_time,
    bytes: row.bytes,
    jobId: row.job_id ?? undefined,
    state: row.state === null ? undefined : stateOf(row.state),
    labels: (row.labels ?? undefined) as Record<string, string> | undefined,
    version: row.version ?? undefined,
    nominalUs: row.nominal_time ?? undefined,
    signalKey: row.signal_key ?? undefined,
    isCurrent: row.is_current,
    payload: row.payload === null ? undefined : { data: row.payload, contentType: row.content_type ?? '' },
  };
}

const readHeldOf = {
  name: 'read_held_causes',
  text: `
SELECT row_id, number, cause_time, coalesce(octet_length(payload), 0) AS bytes, key, count FROM trigger_causes
WHERE trigger_id = $1 AND key = ANY ($2::text[]) AND expire_time > $3`,
  row: { row_id: 'int8', number: 'int2', cause_time: 'timestamptz', bytes: 'int4', key: 'text', count: 'int8' },
} satisfies Statement;

export async function readHeldCauses(
  session: Session,
  triggerId: string,
  keys: readonly string[],
  nowUs: number,
): Promise<HeldCause[]> {
  const rows = await session.run(readHeldOf, [triggerId, keys, timestampOf(nowUs)]);
  return rows.map(({ row_id, number, cause_time, bytes, key, count }) => ({
    rowId: row_id,
    number,
    timeUs: cause_time,
    bytes,
    key,
    count,
  }));
}

const dropSome = { name: 'drop_causes', text: 'DELETE FROM trigger_causes WHERE row_id = ANY ($1::bigint[])' };

export async function dropCauses(session: Session, rowIds: readonly number[]): Promise<void> {
  if (rowIds.length > 0) await session.run(dropSome, [rowIds]);
}

// Expired causes of the same keys are in the way of new ones.
const dropOfKeys = {
  name: 'drop_expired_causes_of_keys',
  text: 'DELETE FROM trigger_causes WHERE trigger_id = $1 AND key = ANY ($2::text[]) AND expire_time <= $3',
};

export async function dropExpiredOf(
  session: Session,
  triggerId: string,
  keys: readonly string[],
  nowUs: number,
): Promise<void> {
  await session.run(dropOfKeys, [triggerId, keys, timestampOf(nowUs)]);
}

// In two parts: each has an index.
const dropAll = {
  name: 'drop_all_causes',
  text: `
WITH dropped AS (DELETE FROM trigger_causes WHERE trigger_id = $1 AND key IS NULL)
DELETE FROM trigger_causes WHERE trigger_id = $1 AND key IS NOT NULL`,
};

export async function dropAllCauses(session: Session, triggerId: string): Promise<void> {
  await session.run(dropAll, [triggerId]);
}

const held = { row_id: 'bigint', key: 'text', count: 'bigint' };

const holdSome = {
  name: 'hold_causes',
  text: `
UPDATE trigger_causes c SET key = i.key, count = i.count,
       expire_time = coalesce(c.expire_time, c.cause_time + $1::double precision * interval '1 ms')
FROM ${inputTable(held, 'i', 2)} WHERE ${sameKey('c.row_id', 'i.row_id')}`,
};

export async function holdCauses(session: Session, causes: readonly HeldCause[], expireMs: number): Promise<void> {
  if (causes.length === 0) return;
  await session.run(holdSome, [
    expireMs,
    causes.map(({ rowId }) => rowId),
    causes.map(({ key }) => key),
    causes.map(({ count }) => count),
  ]);
}

const trimText = (which: string) => `
DELETE FROM trigger_causes WHERE row_id = ANY (ARRAY(
  SELECT row_id FROM (
    SELECT row_id, row_number() OVER w AS place, sum(bytes) OVER w AS bytes FROM (
      SELECT row_id, octet_length(payload) AS bytes FROM trigger_causes WHERE trigger_id = $1 AND ${which} OFFSET 0
    ) AS all_held WINDOW w AS (ORDER BY row_id DESC)
  ) AS h WHERE place > $2 OR bytes > $3
)) RETURNING row_id`;

const trimHeld = {
  name: 'trim_causes',
  text: trimText('key IS NOT NULL'),
  row: { row_id: 'int8' },
} satisfies Statement;
const trimNew = {
  name: 'trim_new_causes',
  text: trimText('key IS NULL'),
  row: { row_id: 'int8' },
} satisfies Statement;

export async function trimCauses(
  session: Session,
  which: 'held' | 'new',
  triggerId: string,
  maxRows: number,
  maxBytes: number,
): Promise<number> {
  return (await session.run(which === 'held' ? trimHeld : trimNew, [triggerId, maxRows, maxBytes])).length;
}

const readKeys = {
  name: 'read_trigger_progress',
  text: `
WITH keys AS MATERIALIZED (
  SELECT DISTINCT key FROM trigger_causes
  WHERE trigger_id = $1 AND key IS NOT NULL AND ($2::text IS NULL OR key > $2) AND expire_time > (SELECT muster_now())
  ORDER BY key LIMIT $3
)
SELECT c.key, c.number, c.cause_time, c.count, c.expire_time FROM keys k CROSS JOIN LATERAL (
  SELECT * FROM trigger_causes WHERE trigger_id = $1 AND trigger_causes.key = k.key OFFSET 0
) AS c
WHERE c.expire_time > (SELECT muster_now()) ORDER BY c.key, c.number`,
  row: { key: 'text', number: 'int2', cause_time: 'timestamptz', count: 'int8', expire_time: 'timestamptz' },
} satisfies Statement;

export async function readProgress(
  session: Session,
  triggerId: string,
  afterKey: string | undefined,
  limit: number,
): Promise<ProgressRow[]> {
  const rows = await session.run(readKeys, [triggerId, afterKey ?? null, limit]);
  return rows.map((row) => ({
    key: row.key,
    number: row.number,
    timeUs: row.cause_time,
    count: row.count,
    expireUs: row.expire_time,
  }));
}
