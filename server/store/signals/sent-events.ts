/** Events: kept for jobs to come, or being delivered to waiting jobs. */
import type { EventFate, KeyFacts } from '../../domain/signals/event-queue.ts';
import { MAX_KEPT_EVENTS } from '../../domain/signals/event-queue.ts';
import type { Delivery, KeptEvent, SentEvent, SignalWaitStore } from '../../engine/ports/signals.ts';
import { payloadOf } from '../dispatch/claim-jobs.ts';
import type { Database, Row, Session } from '../driver/database.ts';
import { jsonOrNull } from '../jobs/submit/insert-jobs.ts';
import { insertWaits, lockKeys, readKeySources, readWaiting, readWaits } from './event-waits.ts';

type Stored = Exclude<EventFate, { readonly kind: 'DROP' | 'FULL' }>;

// Events that have lapsed don't count, though retention has not deleted them yet.
const takeSome = {
  name: 'take_kept_events',
  text: `
WITH asked AS MATERIALIZED (SELECT wait_id, count(*) AS jobs FROM unnest($1::uuid[]) AS i (wait_id) GROUP BY wait_id),
picked AS MATERIALIZED (
  SELECT k.row_id FROM asked a CROSS JOIN LATERAL (
    SELECT row_id FROM sent_events e
    WHERE e.wait_id = a.wait_id AND e.up_to_row IS NULL AND e.keep_until > (SELECT muster_now())
    ORDER BY e.wait_id, e.row_id LIMIT a.jobs
  ) AS k
),
gone AS (
  DELETE FROM sent_events WHERE row_id = ANY (ARRAY(SELECT row_id FROM picked))
  RETURNING row_id, wait_id, payload, content_type, metadata
)
SELECT * FROM gone ORDER BY row_id`,
};

async function takeKept(session: Session, waitIds: readonly string[]): Promise<KeptEvent[]> {
  const rows = await session.run(takeSome, [waitIds]);
  return rows.map((row) => ({ rowId: row.row_id, waitId: row.wait_id, payload: payloadIn(row) }));
}

function payloadIn(row: Row) {
  return payloadOf(row.payload, row.content_type, row.metadata);
}

const readOne = {
  name: 'read_event_key',
  text: `
WITH promised AS MATERIALIZED (
  SELECT coalesce(max(up_to_row), 0) AS up_to FROM sent_events WHERE wait_id = $1 AND up_to_row IS NOT NULL
)
SELECT p.up_to,
       (SELECT row_id FROM event_waits w WHERE (w.wait_id, w.row_id) > ($1::uuid, p.up_to) AND w.wait_id = $1
        ORDER BY w.wait_id DESC, w.row_id DESC LIMIT 1) AS last_wait,
       (SELECT count(*)::int FROM (
          SELECT FROM sent_events e WHERE e.wait_id = $1 AND e.up_to_row IS NULL AND e.keep_until > (SELECT muster_now())
          LIMIT ${MAX_KEPT_EVENTS}
        ) AS k) AS kept
FROM promised p`,
};

async function readKey(session: Session, waitId: string): Promise<KeyFacts> {
  const [row] = await session.run(readOne, [waitId]);
  return { promisedUpTo: row?.up_to ?? 0, lastWait: row?.last_wait ?? undefined, kept: row?.kept ?? 0 };
}

const insertOne = {
  name: 'insert_event',
  text: `
INSERT INTO sent_events (namespace, wait_id, payload, content_type, metadata, send_time, keep_until, after_row, up_to_row)
SELECT $1, $2, $3, $4, $5, now.time, now.time + $6::double precision * interval '1 ms', $7, $8
FROM (SELECT muster_now() AS time) AS now
RETURNING row_id`,
};

function rangeOf(fate: Stored): [number | null, number | null] {
  return fate.kind === 'DELIVER' ? [fate.after, fate.upTo] : [null, null];
}

async function insertEvent(
  session: Session,
  { namespace, waitId, payload, keepMs }: SentEvent,
  fate: Stored,
): Promise<number> {
  const { data, contentType, metadata } = payload;
  const content = [data, contentType, jsonOrNull(metadata)];
  const [row] = await session.run(insertOne, [namespace, waitId, ...content, keepMs, ...rangeOf(fate)]);
  return row?.row_id;
}

const lockOne = {
  name: 'lock_event_delivery',
  text: `
SELECT row_id, namespace, wait_id, payload, content_type, metadata, delivered, after_row, up_to_row,
       extract(epoch FROM keep_until - (SELECT muster_now()))::double precision * 1000 AS keep_ms
FROM sent_events WHERE row_id = $1 AND up_to_row IS NOT NULL FOR UPDATE SKIP LOCKED`,
};

async function lockDelivery(session: Session, rowId: number): Promise<Delivery | undefined> {
  const [row] = await session.run(lockOne, [rowId]);
  return (
    row && {
      rowId,
      namespace: row.namespace,
      waitId: row.wait_id,
      payload: payloadIn(row),
      keepMs: row.keep_ms,
      delivered: row.delivered,
      after: row.after_row,
      upTo: row.up_to_row,
    }
  );
}

const advanceOne = {
  name: 'advance_event_delivery',
  text: 'UPDATE sent_events SET after_row = $2, delivered = $3 WHERE row_id = $1',
};

const redirectOne = {
  name: 'redirect_event',
  text: 'UPDATE sent_events SET after_row = $2, up_to_row = $3 WHERE row_id = $1',
};

const dropOne = { name: 'drop_event', text: 'DELETE FROM sent_events WHERE row_id = $1' };

const findSome = {
  name: 'find_event_deliveries',
  text: `
SELECT row_id FROM sent_events
WHERE up_to_row IS NOT NULL AND send_time <= (SELECT muster_now()) - $1::double precision * interval '1 ms' LIMIT $2`,
};

export function signalWaitStore(database: Database): SignalWaitStore {
  return {
    readKeySources: (jobIds) => readKeySources(database, jobIds),
    lockKeys: (waitIds) => lockKeys(database, waitIds),
    takeKept: (waitIds) => takeKept(database, waitIds),
    insertWaits: (waits) => insertWaits(database, waits),
    readKey: (waitId) => readKey(database, waitId),
    insertEvent: (event, fate) => insertEvent(database, event, fate),
    lockDelivery: (rowId) => lockDelivery(database, rowId),
    readWaiting: (delivery, limit) => readWaiting(database, delivery, limit),
    async advance(rowId, after, delivered) {
      await database.run(advanceOne, [rowId, after, delivered]);
    },
    async redirect(rowId, fate) {
      await database.run(redirectOne, [rowId, ...rangeOf(fate)]);
    },
    async drop(rowId) {
      await database.run(dropOne, [rowId]);
    },
    async findDeliveries(olderThanMs, limit) {
      return (await database.run(findSome, [olderThanMs, limit])).map((row) => row.row_id);
    },
    read: (jobIds) => readWaits(database, jobIds),
  };
}
