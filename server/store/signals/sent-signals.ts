/** Signals: kept for jobs to come, or being delivered to waiting jobs. */

import type { KeyFacts, SignalFate } from '../../domain/signals/signal-queue.ts';
import { MAX_KEPT_SIGNALS } from '../../domain/signals/signal-queue.ts';
import type { Delivery, KeptSignal, SentSignal, SignalWaitStore } from '../../engine/ports/signals.ts';
import { jsonOrNull } from '../base/json.ts';
import { isLeft, nowNear, timestampOf } from '../base/times.ts';
import { payloadOf } from '../dispatch/claim-jobs.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import type { RowOf } from '../driver/row-types.ts';
import { insertSignalWaits, leaveWaits, lockKeys, readKeySources, readWaiting, readWaits } from './signal-waits.ts';

type Stored = Exclude<SignalFate, { readonly kind: 'DROP' | 'FULL' }>;

// Signals that have lapsed don't count, though retention has not deleted them yet.
const takeSome = {
  name: 'take_kept_signals',
  text: `
WITH asked AS MATERIALIZED (SELECT signal_key_id, count(*) AS jobs FROM unnest($1::uuid[]) AS i (signal_key_id) GROUP BY signal_key_id),
picked AS MATERIALIZED (
  SELECT k.row_id FROM asked a CROSS JOIN LATERAL (
    SELECT row_id FROM sent_signals e
    WHERE e.signal_key_id = a.signal_key_id AND e.up_to_row IS NULL AND e.keep_until > (SELECT ${nowNear('$2')})
    ORDER BY e.signal_key_id, e.row_id LIMIT a.jobs
  ) AS k
),
gone AS (
  DELETE FROM sent_signals WHERE row_id = ANY (ARRAY(SELECT row_id FROM picked))
  RETURNING row_id, signal_key_id, payload, content_type, metadata
)
SELECT * FROM gone ORDER BY row_id`,
  row: { row_id: 'int8', signal_key_id: 'uuid', payload: 'bytea', content_type: 'text', metadata: 'text?' },
} satisfies Statement;

async function takeKept(session: Session, signalKeyIds: readonly string[], nowUs: number): Promise<KeptSignal[]> {
  const rows = await session.run(takeSome, [signalKeyIds, timestampOf(nowUs)]);
  return rows.map((row) => ({ rowId: row.row_id, signalKeyId: row.signal_key_id, payload: payloadIn(row) }));
}

function payloadIn(row: Pick<RowOf<typeof takeSome>, 'payload' | 'content_type' | 'metadata'>) {
  return payloadOf(row.payload, row.content_type, row.metadata);
}

const readOne = {
  name: 'read_signal_key',
  text: `
WITH promised AS MATERIALIZED (
  SELECT coalesce(max(up_to_row), 0) AS up_to FROM sent_signals WHERE signal_key_id = $1 AND up_to_row IS NOT NULL
)
SELECT p.up_to,
       (SELECT row_id FROM signal_waits w WHERE (w.signal_key_id, w.row_id) > ($1::uuid, p.up_to) AND w.signal_key_id = $1
        ORDER BY w.signal_key_id DESC, w.row_id DESC LIMIT 1) AS last_wait,
       (SELECT count(*)::int FROM (
          SELECT FROM sent_signals e WHERE e.signal_key_id = $1 AND e.up_to_row IS NULL AND e.keep_until > (SELECT ${nowNear('$2')})
          LIMIT ${MAX_KEPT_SIGNALS}
        ) AS k) AS kept
FROM promised p`,
  row: { up_to: 'int8', last_wait: 'int8?', kept: 'int4' },
} satisfies Statement;

async function readKey(session: Session, signalKeyId: string, nowUs: number): Promise<KeyFacts> {
  const [row] = await session.run(readOne, [signalKeyId, timestampOf(nowUs)]);
  return { promisedUpTo: row?.up_to ?? 0, lastWait: row?.last_wait ?? undefined, kept: row?.kept ?? 0 };
}

const insertOne = {
  name: 'insert_signal',
  text: `
INSERT INTO sent_signals (namespace, signal_key_id, payload, content_type, metadata, send_time, keep_until, after_row, up_to_row)
SELECT $1, $2, $3, $4, $5, now.time, now.time + $6::double precision * interval '1 ms', $7, $8
FROM (SELECT ${nowNear('$9')} AS time) AS now
RETURNING row_id`,
  row: { row_id: 'int8' },
} satisfies Statement;

function rangeOf(fate: Stored): [number | null, number | null] {
  return fate.kind === 'DELIVER' ? [fate.after, fate.upTo] : [null, null];
}

async function insertSignal(
  session: Session,
  { namespace, signalKeyId, payload, keepMs }: SentSignal,
  fate: Stored,
  nowUs: number,
): Promise<number> {
  const { data, contentType, metadata } = payload;
  const content = [data, contentType, jsonOrNull(metadata)];
  const [row] = await session.run(insertOne, [
    namespace,
    signalKeyId,
    ...content,
    keepMs,
    ...rangeOf(fate),
    timestampOf(nowUs),
  ]);
  return (row as RowOf<typeof insertOne>).row_id;
}

const lockOne = {
  name: 'lock_signal_delivery',
  text: `
SELECT row_id, namespace, signal_key_id, payload, content_type, metadata, delivered, after_row, up_to_row,
       extract(epoch FROM keep_until - (SELECT ${nowNear('$2')}))::double precision * 1000 AS keep_ms
FROM sent_signals WHERE row_id = $1 AND up_to_row IS NOT NULL FOR UPDATE SKIP LOCKED`,
  row: {
    row_id: 'int8',
    namespace: 'text',
    signal_key_id: 'uuid',
    payload: 'bytea',
    content_type: 'text',
    metadata: 'text?',
    delivered: 'int4',
    after_row: 'int8',
    up_to_row: 'int8',
    keep_ms: 'float8',
  },
} satisfies Statement;

async function lockDelivery(session: Session, rowId: number, nowUs: number): Promise<Delivery | undefined> {
  const [row] = await session.run(lockOne, [rowId, timestampOf(nowUs)]);
  return (
    row && {
      rowId,
      namespace: row.namespace,
      signalKeyId: row.signal_key_id,
      payload: payloadIn(row),
      keepMs: row.keep_ms,
      delivered: row.delivered,
      after: row.after_row,
      upTo: row.up_to_row,
    }
  );
}

const advanceOne = {
  name: 'advance_signal_delivery',
  text: 'UPDATE sent_signals SET after_row = $2, delivered = $3 WHERE row_id = $1',
};

const redirectOne = {
  name: 'redirect_signal',
  text: 'UPDATE sent_signals SET after_row = $2, up_to_row = $3 WHERE row_id = $1',
};

const dropOne = { name: 'drop_signal', text: 'DELETE FROM sent_signals WHERE row_id = $1' };

const findSome = {
  name: 'find_signal_deliveries',
  text: `
SELECT row_id FROM sent_signals WHERE up_to_row IS NOT NULL AND ${isLeft('send_time', '$1')} LIMIT $2`,
  row: { row_id: 'int8' },
} satisfies Statement;

export function signalWaitStore(database: Database): SignalWaitStore {
  return {
    readKeySources: (jobIds) => readKeySources(database, jobIds),
    lockKeys: (signalKeyIds) => lockKeys(database, signalKeyIds),
    takeKept: (signalKeyIds, nowUs) => takeKept(database, signalKeyIds, nowUs),
    insertSignalWaits: (waits) => insertSignalWaits(database, waits),
    leave: (ended) => leaveWaits(database, ended),
    readKey: (signalKeyId, nowUs) => readKey(database, signalKeyId, nowUs),
    insertSignal: (signal, fate, nowUs) => insertSignal(database, signal, fate, nowUs),
    lockDelivery: (rowId, nowUs) => lockDelivery(database, rowId, nowUs),
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
