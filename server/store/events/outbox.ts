/**
 * The outbox of job events. Every statement that makes, moves or ends runs adds one row for all of them, in the same
 * statement. Relays take rows, publish them, and delete them.
 */

import type { Failure } from '../../domain/base/payload.ts';
import { stateCodes, stateOf } from '../../domain/jobs/job-state.ts';
import type { OutboxRow } from '../../engine/ports/events.ts';
import { columnsOf } from '../base/columns.ts';
import { failureOf, failureText } from '../base/failure-text.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session, Statement } from '../driver/database.ts';
import { type Filled, outerJoined, type RowOf, type RowType } from '../driver/row-types.ts';

interface Moved {
  /** Relation with a row for each job: `job_id`, `lane_id`, and the columns in `by`. */
  readonly from: string;
  /** The other columns of `from` that are the same for all jobs of a group. */
  readonly by?: readonly string[];
  readonly where?: string;
}

/**
 * A CTE that groups the jobs a statement makes, moves or ends by their common columns, for the outbox and the counts.
 */
export function groups({ from, by = [], where }: Moved): string {
  const keys = ['lane_id', ...by].join(', ');
  // Ids become bytes at once: to write and read back an array of them would cost several times as much.
  return `groups AS MATERIALIZED (
  SELECT ${keys}, string_agg(uuid_send(job_id), ''::bytea) AS job_ids, count(*)::int AS jobs
  FROM ${from}${where ? ` WHERE ${where}` : ''} GROUP BY ${keys}
)`;
}

interface ChangedColumns {
  /** The state that all jobs enter. Default: the groups have a column `state`. */
  readonly state?: number;
  /** For runs that existed before: the groups have `revision` after the change, `attempt` and `was_state`. */
  readonly moved?: boolean;
  /** The groups have a column `published_failure`. */
  readonly failures?: boolean;
}

/** The INSERT of the events of `groups`, for a CTE next to one called `now` with the time. No group: no row. */
export function outboxInsert({ state, moved = false, failures = false }: ChangedColumns = {}): string {
  return `INSERT INTO outbox (event_time, job_ids, group_sizes, lane_ids, states, revisions, attempts, previous_states, failures)
  SELECT (SELECT time FROM now), string_agg(job_ids, ''::bytea), array_agg(jobs), array_agg(lane_id), array_agg(${state ?? 'state'}),
         array_agg(${moved ? 'revision' : '1'}), array_agg(${moved ? 'attempt' : '0'}), array_agg(${moved ? 'was_state' : 'NULL::smallint'}),
         array_agg(${failures ? 'published_failure' : 'NULL::text'})
  FROM groups HAVING count(*) > 0`;
}

const MAX_MESSAGE = 1_024;

/** The failure as events show it. Truncated text ends with an ellipsis. */
export function publishedFailure(failure: Failure): string {
  const { type, failureCause, nonRetryable, exitCode } = failure;
  const cut = failure.message.length > MAX_MESSAGE;
  const message = cut ? `${failure.message.slice(0, MAX_MESSAGE - 1)}…`.toWellFormed() : failure.message;
  return failureText({ type, message, stackTrace: '', failureCause, nonRetryable, exitCode });
}

/** Max rows scanned per turn. */
const ROWS_PER_TURN = 256;

const takenRowType = {
  row_id: 'int8',
  event_time: 'timestamptz',
  job_ids: 'bytea',
  group_sizes: 'int4[]',
  lane_ids: 'int4[]',
  states: 'int2[]',
  revisions: 'int4[]',
  attempts: 'int4[]',
  previous_states: 'int2?[]',
  failures: 'text?[]',
  before: 'int8',
} satisfies RowType;

// A turn that ends too late was taken while the clock was ahead, and is over.
// Oldest first. A turn instead of a mark on each row: there are hundreds of rows a second, and to write each of them
// once more would cost as much as all the rest. One row without a row_id: it is our turn, and the outbox is empty.
const takeRows = {
  name: 'take_outbox_rows',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
free AS MATERIALIZED (
  SELECT turn FROM outbox_turns
  WHERE turn = 1 AND (turn_until NOT BETWEEN (SELECT time FROM now) AND (SELECT time FROM now) + $3 * interval '2 ms'
                      OR relay_id IS NOT DISTINCT FROM $1::uuid)
  FOR NO KEY UPDATE SKIP LOCKED
),
mine AS (
  UPDATE outbox_turns t SET relay_id = $1::uuid, turn_until = now.time + $3 * interval '1 ms' FROM free, now
  WHERE ${sameKey('t.turn', 'free.turn')} RETURNING t.turn
)
SELECT ${columnsOf(takenRowType, 'o')} FROM mine LEFT JOIN LATERAL (
  SELECT *, sum(octet_length(job_ids)) OVER (ORDER BY row_id) - octet_length(job_ids) AS before
  FROM (SELECT * FROM outbox ORDER BY row_id LIMIT ${ROWS_PER_TURN}) AS oldest
) AS o ON o.before < $2`,
  row: outerJoined(takenRowType),
} satisfies Statement;

const finishRows = {
  name: 'finish_outbox_rows',
  text: `
WITH turn AS (
  UPDATE outbox_turns SET turn_until = '-infinity' WHERE turn = 1 AND relay_id IS NOT DISTINCT FROM $1::uuid
)
DELETE FROM outbox WHERE row_id = ANY($2::bigint[])`,
};

const dropOld = {
  name: 'drop_old_outbox_rows',
  text: `
WITH now AS MATERIALIZED (SELECT muster_now() AS time),
oldest AS MATERIALIZED (
  SELECT row_id, event_time FROM outbox ORDER BY row_id LIMIT ${ROWS_PER_TURN} FOR UPDATE SKIP LOCKED
),
gone AS (
  DELETE FROM outbox o USING oldest d, now
  WHERE ${sameKey('o.row_id', 'd.row_id')} AND d.event_time < now.time - $1 * interval '1 ms'
  RETURNING octet_length(o.job_ids) / 16 AS events
)
SELECT coalesce(sum(events), 0)::int AS events FROM gone`,
  row: { events: 'int4' },
} satisfies Statement;

const ID_BYTES = 16;

function outboxRow(row: Filled<RowOf<typeof takeRows>>): OutboxRow {
  let end = 0;
  const changes = row.group_sizes.map((size, i) => {
    const start = end;
    end += size * ID_BYTES;
    const before = row.previous_states[i] as number | null;
    const failure = row.failures[i] as string | null;
    return {
      jobIds: row.job_ids.subarray(start, end),
      laneId: row.lane_ids[i] as number,
      revision: row.revisions[i] as number,
      attempt: row.attempts[i] as number,
      previousState: before === null ? undefined : stateOf(before),
      state: stateOf(row.states[i] as number),
      failure: failure === null ? undefined : failureOf(failure),
    };
  });
  return { rowId: row.row_id, eventTimeUs: row.event_time, changes };
}

/** States that are entered without an event. */
export const unpublished = `(${stateCodes.ASSIGNED}, ${stateCodes.RUNNING})`;

/**
 * The oldest rows, in their order, while it is the relay's turn: max 256, and no more once their job ids have reached
 * `maxBytes`. Undefined: it is another relay's turn.
 */
export async function takeOutbox(
  session: Session,
  relayId: string,
  maxBytes: number,
  forMs: number,
): Promise<OutboxRow[] | undefined> {
  const rows = await session.run(takeRows, [relayId, maxBytes, forMs]);
  if (rows.length === 0) return undefined;
  return rows
    .flatMap((row) => (row.row_id === null ? [] : outboxRow(row as Filled<typeof row>)))
    .sort((a, b) => a.rowId - b.rowId);
}

/** Deletes rows, and ends the relay's turn. */
export async function finishOutbox(session: Session, relayId: string, rowIds: readonly number[]): Promise<void> {
  await session.run(finishRows, [relayId, rowIds]);
}

/** Deletes rows older than this, among the 256 oldest, and returns the number of events lost with them. */
export async function dropOutbox(session: Session, olderThanMs: number): Promise<number> {
  const [row] = await session.run(dropOld, [olderThanMs]);
  return row?.events ?? 0;
}
