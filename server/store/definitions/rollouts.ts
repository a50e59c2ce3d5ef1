/** Roll-outs of versions of definitions. */
import { namesOf } from '../../domain/base/codes.ts';
import { type RolloutState, rolloutStates } from '../../domain/definitions/rollout.ts';
import type {
  NewRollout,
  Rollout,
  RolloutName,
  RolloutPage,
  RolloutStore,
  RolloutWrite,
} from '../../engine/ports/definitions.ts';
import { columnsOf } from '../base/columns.ts';
import { nowNear, timestampOf } from '../base/times.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import type { RowType, RowWith } from '../driver/row-types.ts';
import { compareVersions } from './compare-versions.ts';

/** Bytes of roll-outs after which a page ends: an answer has to fit into the 4 MiB that clients accept. */
const PAGE_BYTES = 2 << 20;

const rowType = {
  namespace: 'text',
  definition: 'text',
  version: 'int4',
  base_version: 'int4',
  settings: 'text',
  state: 'int2',
  reason: 'text',
  step: 'int2',
  step_time: 'timestamptz',
  served: 'bool',
  ended: 'int4',
  failed: 'int4',
  retrying: 'int4',
  base_ended: 'int4',
  base_failed: 'int4',
  start_time: 'timestamptz',
  end_time: 'timestamptz?',
  check_time: 'timestamptz?',
} satisfies RowType;

const stateOf = namesOf(rolloutStates);

function rolloutOf(row: RowWith<typeof rowType>): Rollout {
  return {
    namespace: row.namespace,
    definition: row.definition,
    version: row.version,
    baseVersion: row.base_version,
    settings: JSON.parse(row.settings),
    state: stateOf(row.state) as RolloutState,
    reason: row.reason,
    step: row.step,
    stepTimeUs: row.step_time,
    served: row.served,
    counts: { ended: row.ended, failed: row.failed, retrying: row.retrying },
    baseCounts: { ended: row.base_ended, failed: row.base_failed },
    startTimeUs: row.start_time,
    endTimeUs: row.end_time ?? undefined,
    checkTimeUs: row.check_time ?? undefined,
  };
}

const byName = `WHERE namespace = $1 AND definition = $2 AND ($3 = 0 OR version = $3) ORDER BY version DESC LIMIT 1`;

const readOne = {
  name: 'read_rollout',
  text: `SELECT ${columnsOf(rowType)} FROM rollouts ${byName}`,
  row: rowType,
} satisfies Statement;

const lockOne = {
  name: 'lock_rollout',
  text: `SELECT ${columnsOf(rowType)} FROM rollouts ${byName} FOR UPDATE`,
  row: rowType,
} satisfies Statement;

const listSome = {
  name: 'list_rollouts',
  text: `
SELECT ${columnsOf(rowType)} FROM rollouts
WHERE namespace = $1 AND (definition > $2 OR (definition = $2 AND version < $3)) ORDER BY definition, version DESC LIMIT $4`,
  row: rowType,
} satisfies Statement;

const insertOne = {
  name: 'insert_rollout',
  text: `
INSERT INTO rollouts (namespace, definition, version, base_version, settings, state, step_time, start_time)
SELECT $1, $2, $3, $4, $5, ${rolloutStates.OPEN}, now.time, now.time FROM (SELECT ${nowNear('$6')} AS time) AS now`,
};

const supersedeOne = {
  name: 'supersede_rollout',
  text: `
UPDATE rollouts SET state = ${rolloutStates.SUPERSEDED}, end_time = (SELECT muster_now()), reason = $3
WHERE namespace = $1 AND definition = $2 AND state = ${rolloutStates.OPEN}`,
};

/** Not judged for $2 ms, of which $1 is the end. */
const IS_DUE = `(check_time IS NULL OR check_time NOT BETWEEN (SELECT ${nowNear('$1')}) - $2::double precision * interval '1 ms' AND (SELECT ${nowNear('$1')}))`;

const findDue = {
  name: 'find_due_rollouts',
  text: `
SELECT namespace, definition, version, base_version FROM rollouts
WHERE state = ${rolloutStates.OPEN} AND ${IS_DUE}
ORDER BY check_time NULLS FIRST LIMIT $3`,
  row: { namespace: 'text', definition: 'text', version: 'int4', base_version: 'int4' },
} satisfies Statement;

// The row is read again once it is locked: another replica may have judged it meanwhile.
const lockDue = {
  name: 'lock_due_rollout',
  text: `
SELECT ${columnsOf(rowType)}, ${nowNear('$1')} AS now FROM rollouts
WHERE namespace = $3 AND definition = $4 AND version = $5 AND state = ${rolloutStates.OPEN} AND ${IS_DUE} FOR UPDATE SKIP LOCKED`,
  row: { ...rowType, now: 'timestamptz' },
} satisfies Statement;

const writeOne = {
  name: 'write_rollout',
  text: `
UPDATE rollouts SET state = $4::smallint, reason = $5, step = $6, step_time = $7, served = $8, settings = $9, ended = $10, failed = $11,
       base_ended = $12, base_failed = $13, check_time = $14, retrying = $15, end_time = CASE WHEN $4::smallint = ${rolloutStates.OPEN} THEN NULL ELSE coalesce(end_time, (SELECT muster_now())) END
WHERE namespace = $1 AND definition = $2 AND version = $3
RETURNING ${columnsOf(rowType)}`,
  row: rowType,
} satisfies Statement;

const keyOf = ({ namespace, definition, version }: RolloutName) => [namespace, definition, version];

async function write(session: Session, rollout: RolloutWrite): Promise<Rollout> {
  const { state, reason, step, stepTimeUs, served, settings, counts, baseCounts, checkTimeUs } = rollout;
  const progress = [rolloutStates[state], reason, step, timestampOf(stepTimeUs), served, JSON.stringify(settings)];
  const judged = [
    counts.ended,
    counts.failed,
    baseCounts.ended,
    baseCounts.failed,
    timestampOf(checkTimeUs),
    counts.retrying,
  ];
  const [row] = await session.run(writeOne, [...keyOf(rollout), ...progress, ...judged]);
  return rolloutOf(row as RowWith<typeof rowType>);
}

async function list(
  session: Session,
  namespace: string,
  after: Pick<RolloutName, 'definition' | 'version'> | undefined,
  limit: number,
): Promise<RolloutPage> {
  const rows = await session.run(listSome, [namespace, after?.definition ?? '', after?.version ?? 0, limit + 1]);
  let bytes = 0;
  const page = rows.slice(0, limit).filter(({ settings, reason }, i) => {
    bytes += Buffer.byteLength(settings) + Buffer.byteLength(reason);
    return i === 0 || bytes <= PAGE_BYTES;
  });
  return { rollouts: page.map(rolloutOf), hasMore: page.length < rows.length };
}

async function insert(session: Session, rollout: NewRollout): Promise<void> {
  const { baseVersion, settings, ownUs } = rollout;
  await session.run(insertOne, [...keyOf(rollout), baseVersion, JSON.stringify(settings), timestampOf(ownUs)]);
}

export function rolloutStore(database: Database): RolloutStore {
  return {
    read: async (name) => (await database.run(readOne, keyOf(name))).map(rolloutOf)[0],
    lock: async (name) => (await database.run(lockOne, keyOf(name))).map(rolloutOf)[0],
    list: (namespace, after, limit) => list(database, namespace, after, limit),
    insert: (rollout) => insert(database, rollout),
    async supersede(namespace, definition, reason) {
      await database.run(supersedeOne, [namespace, definition, reason]);
    },
    async findDue(ownUs, everyMs, limit) {
      const rows = await database.run(findDue, [timestampOf(ownUs), everyMs, limit]);
      return rows.map(({ base_version: baseVersion, ...name }) => ({ ...name, baseVersion }));
    },
    async lockDue(name, ownUs, everyMs) {
      const [row] = await database.run(lockDue, [timestampOf(ownUs), everyMs, ...keyOf(name)]);
      return row && { rollout: rolloutOf(row), nowUs: row.now };
    },
    compare: (rollout) => compareVersions(database, rollout),
    write: (rollout) => write(database, rollout),
  };
}
