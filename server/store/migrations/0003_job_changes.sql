-- What can be asked of a job after its submission: pauses, changes, retries, erasing.

-- Of a PAUSED job: when it may run once it is resumed.
ALTER TABLE job_runs ADD COLUMN run_time timestamptz;

-- The audit record of the erasing; NULL: the job has all its data.
ALTER TABLE jobs ADD COLUMN erase_audit_id uuid;
CREATE INDEX jobs_by_retry ON jobs (retry_of) WHERE retry_of IS NOT NULL;

-- Kept for good: who did what that can't be undone, and why.
CREATE TABLE audit_records (
  audit_id    uuid PRIMARY KEY,
  record_time timestamptz NOT NULL,
  action      text NOT NULL,
  namespace   text NOT NULL,
  job_id      uuid NOT NULL,
  reason      text NOT NULL,
  -- Empty while callers are not authenticated.
  caller      text NOT NULL DEFAULT ''
);
CREATE INDEX audit_records_by_job ON audit_records (job_id);
