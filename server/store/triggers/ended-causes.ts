/** Ends of jobs as causes of triggers. */
import { stateCodes } from '../../domain/jobs/job-state.ts';
import { causeSources } from '../../domain/triggers/condition.ts';
import type { EndedJob } from '../../engine/ports/triggers.ts';
import { inputTable } from '../base/input-table.ts';
import type { Session } from '../driver/database.ts';

/** For statements that end jobs: whether any trigger is about that. Only then are the ends stored as causes. */
export const watched = `(SELECT EXISTS (SELECT FROM trigger_sources WHERE source = ${causeSources.JOB}))`;

const causeByEnded = {
  name: 'cause_triggers_by_ends',
  text: `
WITH ended AS MATERIALIZED (SELECT * FROM ${inputTable({ job_id: 'uuid', lane_id: 'int', state: 'smallint' }, 'i')})
INSERT INTO trigger_causes (trigger_id, number, edition, cause_time, job_id, state)
SELECT s.trigger_id, s.number, s.edition, o.end_time, e.job_id, e.state
FROM (SELECT DISTINCT lane_id FROM ended) AS l
CROSS JOIN LATERAL (
  SELECT namespace, definition FROM lanes WHERE lanes.lane_id = l.lane_id AND NOT lanes.cleanup OFFSET 0
) AS n
CROSS JOIN LATERAL (
  SELECT t.trigger_id, t.number, t.edition, t.states FROM trigger_sources t
  WHERE t.source = ${causeSources.JOB} AND t.namespace = n.namespace AND t.name = n.definition
    AND EXISTS (SELECT FROM schedules c WHERE c.schedule_id = t.trigger_id AND NOT c.paused OFFSET 0) OFFSET 0
) AS s
JOIN ended e ON e.lane_id = l.lane_id AND e.state = ANY (s.states)
CROSS JOIN LATERAL (SELECT end_time FROM job_outcomes WHERE job_outcomes.job_id = e.job_id OFFSET 0) AS o`,
};

export async function causeTriggersByEnds(session: Session, ends: readonly EndedJob[]): Promise<void> {
  await session.run(causeByEnded, [
    ends.map(({ jobId }) => jobId),
    ends.map(({ laneId }) => laneId),
    ends.map(({ state }) => stateCodes[state]),
  ]);
}
