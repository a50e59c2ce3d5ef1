/** Log records of handlers: written only while their attempt is open in its session. The newest are kept. */
import { stateCodes } from '../../domain/jobs/job-state.ts';
import type { AttemptLog, KeptRecord, LogPage, LogQuery, NewestLogChunk } from '../../engine/ports/logs.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import { byteSlices } from '../driver/arrays.ts';
import type { Parameter, Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { CHUNK_BYTES, chunksOf, type LogChunk, MAX_LOG_BYTES, recordsOf } from './log-chunks.ts';

/** Max bytes of the records on a page. */
const PAGE_BYTES = 2 << 20;

const { ASSIGNED, RUNNING, CANCELLING } = stateCodes;

// The fence, and the lock on which two writers of one attempt take turns: stored records are read after it, by a
// statement that sees what the previous writer has written.
const lockRuns = {
  name: 'lock_logging_runs',
  text: `
SELECT r.job_id, r.attempt, r.session_id
FROM ${inputTable({ job_id: 'uuid', attempt: 'int', session_id: 'uuid' }, 'i')} JOIN job_runs r ON ${sameKey('r.job_id', 'i.job_id')}
WHERE r.attempt = i.attempt AND r.session_id IS NOT DISTINCT FROM i.session_id AND r.state IN (${ASSIGNED}, ${RUNNING}, ${CANCELLING})
  AND EXISTS (SELECT FROM sessions s WHERE ${sameKey('s.session_id', 'i.session_id')} AND s.state IS NOT DISTINCT FROM 1)
ORDER BY i.job_id FOR NO KEY UPDATE OF r`,
  row: { job_id: 'uuid', attempt: 'int4', session_id: 'uuid?' },
} satisfies Statement;

const attemptColumns = { job_id: 'uuid', attempt: 'int' };

/** Chunks of one attempt are few. OFFSET 0 makes PostgreSQL look them up attempt by attempt. */
const chunksOfAttempt = (columns: string, rest: string) => `CROSS JOIN LATERAL (
  SELECT ${columns} FROM attempt_logs WHERE attempt_logs.job_id = i.job_id AND attempt_logs.attempt = i.attempt ${rest}
)`;

const readNewest = {
  name: 'read_newest_logs',
  text: `
SELECT i.job_id, i.attempt, n.first_sequence, n.last_sequence, n.bytes, n.total
FROM ${inputTable(attemptColumns, 'i')}
${chunksOfAttempt('first_sequence, last_sequence, octet_length(data) AS bytes, sum(octet_length(data)) OVER ()::bigint AS total', 'ORDER BY first_sequence DESC LIMIT 1')} AS n`,
  row: { job_id: 'uuid', attempt: 'int4', first_sequence: 'int8', last_sequence: 'int8', bytes: 'int4', total: 'int8' },
} satisfies Statement;

const chunkColumns = {
  ...attemptColumns,
  first_sequence: 'bigint',
  last_sequence: 'bigint',
  data_start: 'int',
  data_length: 'int',
};

const appendChunks = {
  name: 'append_logs',
  text: `
INSERT INTO attempt_logs AS l (job_id, attempt, first_sequence, last_sequence, data)
SELECT job_id, attempt, first_sequence, last_sequence, substring($1::bytea FROM data_start FOR data_length)
FROM ${inputTable(chunkColumns, 'i', 2)}
ON CONFLICT (job_id, attempt, first_sequence) DO UPDATE
SET last_sequence = excluded.last_sequence, data = l.data || excluded.data`,
};

const trimChunks = {
  name: 'trim_logs',
  text: `
DELETE FROM attempt_logs t USING ${inputTable(attemptColumns, 'i')}
${chunksOfAttempt('first_sequence, sum(octet_length(data)) OVER (ORDER BY first_sequence DESC) AS kept', 'OFFSET 0')} AS o
WHERE o.kept > ${MAX_LOG_BYTES} AND ${sameKey('t.job_id', 'i.job_id')} AND ${sameKey('t.attempt', 'i.attempt')}
  AND ${sameKey('t.first_sequence', 'o.first_sequence')}`,
};

interface NewChunk extends LogChunk {
  readonly log: AttemptLog;
}

type Newest = ReadonlyMap<AttemptLog, NewestLogChunk>;

export async function lockLogging(session: Session, logs: readonly AttemptLog[]): Promise<AttemptLog[]> {
  const rows = await session.run(lockRuns, [...attemptParameters(logs), logs.map((log) => log.sessionId)]);
  const sessionIds = new Map(rows.map((row) => [textOf(row), row.session_id]));
  return logs.filter((log) => sessionIds.get(`${log.jobId}/${log.attempt}`) === log.sessionId);
}

export async function readNewestLogChunks(session: Session, logs: readonly AttemptLog[]): Promise<Newest> {
  const rows = new Map((await session.run(readNewest, attemptParameters(logs))).map((row) => [textOf(row), row]));
  const newest = new Map<AttemptLog, NewestLogChunk>();
  for (const log of logs) {
    const row = rows.get(`${log.jobId}/${log.attempt}`);
    if (!row) continue;
    const { first_sequence: firstSequence, last_sequence: lastSequence, bytes, total: totalBytes } = row;
    newest.set(log, { firstSequence, lastSequence, bytes, totalBytes });
  }
  return newest;
}

export async function appendLogs(session: Session, logs: readonly AttemptLog[], newest: Newest): Promise<AttemptLog[]> {
  const chunks = logs.flatMap((log) => newChunks(log, newest.get(log)));
  if (chunks.length > 0) await insertChunks(session, chunks);
  const added = Map.groupBy(chunks, (chunk) => chunk.log);
  return logs.filter((log) => {
    const bytes = added.get(log)?.reduce((sum, chunk) => sum + chunk.data.length, 0) ?? 0;
    return bytes > 0 && (newest.get(log)?.totalBytes ?? 0) + bytes > MAX_LOG_BYTES;
  });
}

export async function trimLogs(session: Session, logs: readonly AttemptLog[]): Promise<void> {
  await session.run(trimChunks, attemptParameters(logs));
}

/** The first records fill up the newest chunk if that has space. */
function newChunks(log: AttemptLog, newest: NewestLogChunk | undefined): NewChunk[] {
  const records = log.records.filter((record) => record.sequence > (newest?.lastSequence ?? 0));
  const space = newest !== undefined && newest.bytes < CHUNK_BYTES;
  const chunks = chunksOf(records, space ? newest.bytes : 0);
  return chunks.map((chunk, i) => {
    const continues = i === 0 && space && newest.bytes + chunk.data.length <= CHUNK_BYTES;
    return { log, ...chunk, firstSequence: continues ? newest.firstSequence : chunk.firstSequence };
  });
}

async function insertChunks(session: Session, chunks: readonly NewChunk[]): Promise<void> {
  const slices = byteSlices(chunks.map((chunk) => chunk.data));
  await session.run(appendChunks, [
    slices.bytes,
    ...attemptParameters(chunks.map((chunk) => chunk.log)),
    chunks.map((chunk) => chunk.firstSequence),
    chunks.map((chunk) => chunk.lastSequence),
    slices.starts,
    slices.lengths,
  ]);
}

function attemptParameters(logs: readonly Pick<AttemptLog, 'jobId' | 'attempt'>[]): Parameter[] {
  return [logs.map((log) => log.jobId), logs.map((log) => log.attempt)];
}

function textOf(row: Pick<RowOf<typeof readNewest>, 'job_id' | 'attempt'>): string {
  return `${row.job_id}/${row.attempt}`;
}

// Sizes are known without a read of the data, so no more data than fits on a page is read.
const readPage = {
  name: 'read_logs',
  text: `
WITH found AS MATERIALIZED (
  SELECT attempt, first_sequence, octet_length(data) AS bytes FROM attempt_logs
  WHERE job_id = $1 AND attempt >= $3 AND ($2::int IS NULL OR attempt = $2) AND (attempt > $3 OR last_sequence > $4)
  ORDER BY attempt, first_sequence LIMIT $5::int + 1
),
summed AS (
  SELECT attempt, first_sequence, sum(bytes) OVER (ORDER BY attempt, first_sequence) - bytes AS bytes_before FROM found
),
fitting AS MATERIALIZED (SELECT * FROM summed WHERE bytes_before < ${PAGE_BYTES})
SELECT f.attempt, l.data, (SELECT count(*) FROM found) > (SELECT count(*) FROM fitting) AS cut
FROM fitting f CROSS JOIN LATERAL (
  SELECT data FROM attempt_logs
  WHERE job_id = $1 AND attempt_logs.attempt = f.attempt AND attempt_logs.first_sequence = f.first_sequence OFFSET 0
) AS l
ORDER BY f.attempt, f.first_sequence`,
  row: { attempt: 'int4', data: 'bytea', cut: 'bool' },
} satisfies Statement;

export async function readLogs(session: Session, query: LogQuery): Promise<LogPage> {
  const { jobId, attempt, after, limit } = query;
  const rows = await session.run(readPage, [jobId, attempt ?? null, after.attempt, after.sequence, limit]);
  const records: KeptRecord[] = [];
  for (const row of rows)
    for (const record of recordsOf(row.data))
      if (row.attempt > after.attempt || record.sequence > after.sequence)
        records.push({ attempt: row.attempt, ...record });
  return { records: records.slice(0, limit), hasMore: rows[0]?.cut === true || records.length > limit };
}
