-- concurrent
-- What a heartbeat repeats. Nearly empty.
DROP INDEX CONCURRENTLY IF EXISTS job_runs_suspended;
CREATE INDEX CONCURRENTLY job_runs_suspended ON job_runs (session_id) WHERE suspend_until IS NOT NULL;
