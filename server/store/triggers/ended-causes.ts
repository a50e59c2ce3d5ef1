/** Ends of jobs as causes of triggers. */
import { stateCodes } from '../../domain/jobs/job-state.ts';
import { causeSources } from '../../domain/triggers/condition.ts';

/**
 * A CTE that stores ends of jobs for the triggers that are about them. It reads the CTE `now` with the column `time`,
 * and the CTE `ended` with `job_id`, `lane_id`, and `state`, the end state, unless it is given. Without such triggers it
 * costs one look-up: the condition on all sources is asked once, before anything else is read.
 */
export function endedCauses(state?: keyof typeof stateCodes): string {
  const ended = state === undefined ? 'e.state' : `${stateCodes[state]}::smallint`;
  return `caused AS (
  INSERT INTO trigger_causes (trigger_id, number, edition, cause_time, job_id, state)
  SELECT s.trigger_id, s.number, s.edition, (SELECT time FROM now), e.job_id, ${ended}
  FROM (SELECT DISTINCT lane_id FROM ended) AS l
  CROSS JOIN LATERAL (
    SELECT namespace, definition FROM lanes WHERE lanes.lane_id = l.lane_id AND NOT lanes.cleanup OFFSET 0
  ) AS n
  CROSS JOIN LATERAL (
    SELECT t.trigger_id, t.number, t.edition, t.states FROM trigger_sources t
    WHERE t.source = ${causeSources.JOB} AND t.namespace = n.namespace AND t.name = n.definition
      AND EXISTS (SELECT FROM schedules c WHERE c.schedule_id = t.trigger_id AND NOT c.paused OFFSET 0) OFFSET 0
  ) AS s
  JOIN ended e ON e.lane_id = l.lane_id AND ${ended} = ANY (s.states)
  WHERE (SELECT EXISTS (SELECT FROM trigger_sources WHERE source = ${causeSources.JOB}))
)`;
}
