-- A held job whose handler was asked to stop: the end of its grace period, and the state that the job gets then.
-- suspend_to: 3 READY, 4 PAUSED. timeouts_stopped: the total timeout starts anew when the job is resumed.
-- NOT VALID: all rows fulfil the older constraint, which is stricter; a scan would only keep replicas waiting.
ALTER TABLE job_runs
  ADD COLUMN suspend_until timestamptz,
  ADD COLUMN suspend_to smallint CHECK (suspend_to IN (3, 4)),
  ADD COLUMN timeouts_stopped boolean NOT NULL DEFAULT false,
  DROP CONSTRAINT job_runs_check3,
  ADD CONSTRAINT job_runs_check3 CHECK (state <> 5 OR due_time IS NULL OR suspend_until IS NOT NULL) NOT VALID;
