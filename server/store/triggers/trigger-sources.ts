/** What the conditions of triggers are about, and what happens to it. */
import { type JobState, stateCodes } from '../../domain/jobs/job-state.ts';
import { type Cause, causeSources } from '../../domain/triggers/condition.ts';
import type { NewHappening } from '../../engine/ports/triggers.ts';
import { inputTable } from '../base/input-table.ts';
import type { Session, Statement } from '../driver/database.ts';

const dropSources = { name: 'drop_trigger_sources', text: 'DELETE FROM trigger_sources WHERE trigger_id = $1' };

// The states of a cause come as text: PostgreSQL has no lists of lists that differ in length.
const sources = { number: 'smallint', source: 'smallint', name: 'text', states: 'text' };

const insertSources = {
  name: 'insert_trigger_sources',
  text: `
INSERT INTO trigger_sources (trigger_id, namespace, number, source, name, states, edition)
SELECT $1, $2, number, source, name, string_to_array(states, ',')::smallint[], pg_current_xact_id()::text::bigint
FROM ${inputTable(sources, 'i', 3)}`,
};

export async function dropTriggerSources(session: Session, triggerId: string): Promise<void> {
  await session.run(dropSources, [triggerId]);
}

export async function insertTriggerSources(
  session: Session,
  triggerId: string,
  namespace: string,
  causes: readonly Cause[],
): Promise<void> {
  await session.run(insertSources, [
    triggerId,
    namespace,
    causes.map((_, number) => number),
    causes.map(({ source }) => causeSources[source]),
    causes.map(({ name }) => name),
    causes.map(({ states }) => states && codesOf(states)),
  ]);
}

function codesOf(states: readonly JobState[]): string {
  return states.map((state) => stateCodes[state]).join(',');
}

const happenings = {
  place: 'int',
  namespace: 'text',
  source: 'smallint',
  name: 'text',
  cause_time: 'timestamptz',
  job_id: 'uuid',
  version: 'bigint',
  nominal_time: 'timestamptz',
  signal_key: 'text',
  payload: 'bytea',
  content_type: 'text',
};

const causeSome = {
  name: 'cause_triggers',
  text: `
INSERT INTO trigger_causes (trigger_id, number, edition, cause_time, job_id, version, nominal_time, signal_key, payload, content_type)
SELECT s.trigger_id, s.number, s.edition, coalesce(i.cause_time, (SELECT muster_now())), i.job_id, i.version, i.nominal_time, i.signal_key, i.payload, i.content_type
FROM ${inputTable(happenings, 'i')} CROSS JOIN LATERAL (
  SELECT t.trigger_id, t.number, t.edition FROM trigger_sources t
  WHERE t.source = i.source AND t.namespace = i.namespace AND t.name = i.name
    AND EXISTS (SELECT FROM schedules c WHERE c.schedule_id = t.trigger_id AND NOT c.paused OFFSET 0) OFFSET 0
) AS s
ORDER BY i.place
RETURNING trigger_id`,
  row: { trigger_id: 'uuid' },
} satisfies Statement;

export async function causeTriggers(session: Session, all: readonly NewHappening[]): Promise<number> {
  if (all.length === 0) return 0;
  const rows = await session.run(causeSome, [
    all.map((_, place) => place),
    all.map(({ namespace }) => namespace),
    all.map(({ source }) => causeSources[source]),
    all.map(({ name }) => name),
    all.map(({ timeUs }) => timeUs),
    all.map(({ jobId }) => jobId),
    all.map(({ version }) => version),
    all.map(({ nominalUs }) => nominalUs),
    all.map(({ signalKey }) => signalKey),
    all.map(({ payload }) => payload?.data),
    all.map(({ payload }) => payload?.contentType),
  ]);
  return new Set(rows.map((row) => row.trigger_id)).size;
}
