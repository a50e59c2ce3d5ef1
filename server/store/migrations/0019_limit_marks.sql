-- Which jobs are looked for by the key of their limit. NULL: they are not, as nothing asks for a job that is merely ready, and
-- the rows of most come and go within milliseconds. 1: it was set aside for want of room. 2: a policy
-- other than WAIT counts it for as long as it is open.
ALTER TABLE job_runs ADD COLUMN limit_mark smallint CHECK (limit_mark BETWEEN 1 AND 2);
UPDATE job_runs r SET limit_mark = CASE WHEN l.at_limit THEN 1 ELSE 2 END
FROM lanes l LEFT JOIN definition_limits d ON d.namespace = l.namespace AND d.definition = l.definition
WHERE r.limit_id IS NOT NULL AND l.lane_id = r.lane_id
  AND (l.at_limit OR coalesce(d.limits::jsonb #>> '{keyLimit,policy}', 'WAIT') <> 'WAIT');
CREATE INDEX job_runs_marked ON job_runs (limit_id, state, rank) WHERE limit_mark IS NOT NULL;
CREATE INDEX job_runs_held_by_limit ON job_runs (limit_id) WHERE limit_id IS NOT NULL AND state IN (5, 6, 8);
DROP INDEX job_runs_limited;
