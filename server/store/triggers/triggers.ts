/** Triggers: locked and advanced, with the runs that they ask for. */
import {
  type OverlapPolicy,
  overlapPolicies,
  scheduleRunCauses,
  scheduleRunStates,
} from '../../domain/schedules/schedule.ts';
import type { LockedTrigger, NewTriggerRun, TriggerStore } from '../../engine/ports/triggers.ts';
import { columnsOf } from '../base/columns.ts';
import { inputTable } from '../base/input-table.ts';
import { nowNear, timestampOf } from '../base/times.ts';
import type { Database, Session, Statement } from '../driver/database.ts';
import { scheduleOf, scheduleRowType } from '../schedules/schedule-rows.ts';
import { causeTriggersByEnds } from './ended-causes.ts';
import {
  dropAllCauses,
  dropCauses,
  dropExpiredOf,
  findCaused,
  holdCauses,
  readCauses,
  readHeldCauses,
  readNew,
  readProgress,
  trimCauses,
} from './trigger-causes.ts';
import { causeTriggers, dropTriggerSources, insertTriggerSources } from './trigger-sources.ts';

const lockOne = {
  name: 'lock_trigger',
  text: `
SELECT ${columnsOf(scheduleRowType)}, generation, ${nowNear('$2')} AS now FROM schedules
WHERE schedule_id = $1 AND condition IS NOT NULL FOR UPDATE SKIP LOCKED`,
  row: { ...scheduleRowType, generation: 'int8', now: 'timestamptz' },
} satisfies Statement;

const existsOne = {
  name: 'exists_trigger',
  text: 'SELECT schedule_id FROM schedules WHERE schedule_id = $1',
  row: { schedule_id: 'uuid' },
} satisfies Statement;

async function lock(session: Session, triggerId: string, ownUs: number): Promise<LockedTrigger | undefined> {
  const [row] = await session.run(lockOne, [triggerId, timestampOf(ownUs)]);
  return row && { trigger: scheduleOf(row), generation: row.generation, nowUs: row.now };
}

const WAITING = `state IN (${scheduleRunStates.ASKED}, ${scheduleRunStates.BUFFERED}, ${scheduleRunStates.STARTING}) AND NOT settled`;

const countOne = {
  name: 'count_waiting_trigger_runs',
  text: `
SELECT count(*)::int AS runs, coalesce(sum(octet_length(input)), 0)::bigint AS bytes FROM (
  SELECT input FROM schedule_runs WHERE schedule_id = $1 AND ${WAITING} LIMIT 2000
) AS waiting`,
  row: { runs: 'int4', bytes: 'int8' },
} satisfies Statement;

const runs = { nominal_time: 'timestamptz', cause_id: 'uuid', key: 'text', input: 'bytea' };

const insertSome = {
  name: 'insert_trigger_runs',
  text: `
INSERT INTO schedule_runs (schedule_id, nominal_time, cause_id, cause, overlap, state, settled, decide_time, key, input)
SELECT $1, nominal_time, cause_id, ${scheduleRunCauses.TRIGGER}, $2, ${scheduleRunStates.ASKED}, false, (SELECT muster_now()), key, input
FROM ${inputTable(runs, 'i', 3)} ORDER BY nominal_time, cause_id`,
};

async function insertRuns(
  session: Session,
  triggerId: string,
  overlap: OverlapPolicy,
  some: readonly NewTriggerRun[],
): Promise<void> {
  if (some.length === 0) return;
  await session.run(insertSome, [
    triggerId,
    overlapPolicies[overlap],
    some.map(({ nominalUs }) => nominalUs),
    some.map(({ causeId }) => causeId),
    some.map(({ key }) => key),
    some.map(({ input }) => input),
  ]);
}

const markOne = {
  name: 'mark_trigger_advanced',
  text: `
UPDATE schedules SET generation = generation + $2,
       scan_time = CASE WHEN $2 > 0 THEN least((SELECT muster_now()), decided_until) ELSE scan_time END
WHERE schedule_id = $1`,
};

export function triggerStore(database: Database): TriggerStore {
  return {
    cause: (happenings) => causeTriggers(database, happenings),
    causeByEnds: (ends) => causeTriggersByEnds(database, ends),
    insertSources: (triggerId, namespace, causes) => insertTriggerSources(database, triggerId, namespace, causes),
    dropSources: (triggerId) => dropTriggerSources(database, triggerId),
    dropAllCauses: (triggerId) => dropAllCauses(database, triggerId),
    findCaused: (after, limit) => findCaused(database, after, limit),
    lock: (triggerId, ownUs) => lock(database, triggerId, ownUs),
    exists: async (triggerId) => (await database.run(existsOne, [triggerId])).length > 0,
    readNew: (triggerId) => readNew(database, triggerId),
    readHeld: (triggerId, keys, nowUs) => readHeldCauses(database, triggerId, keys, nowUs),
    readCauses: (rowIds, withoutPayload) => readCauses(database, rowIds, withoutPayload),
    dropCauses: (rowIds) => dropCauses(database, rowIds),
    dropExpiredOf: (triggerId, keys, nowUs) => dropExpiredOf(database, triggerId, keys, nowUs),
    hold: (causes, expireMs) => holdCauses(database, causes, expireMs),
    trim: (triggerId, maxRows, maxBytes) => trimCauses(database, 'held', triggerId, maxRows, maxBytes),
    trimNew: (triggerId, maxRows, maxBytes) => trimCauses(database, 'new', triggerId, maxRows, maxBytes),
    countWaiting: async (triggerId) => (await database.run(countOne, [triggerId]))[0] ?? { runs: 0, bytes: 0 },
    insertRuns: (triggerId, overlap, some) => insertRuns(database, triggerId, overlap, some),
    async markAdvanced(triggerId, firings) {
      await database.run(markOne, [triggerId, firings]);
    },
    readProgress: (triggerId, afterKey, limit) => readProgress(database, triggerId, afterKey, limit),
  };
}
