-- As in job_runs, of the last attempt.
ALTER TABLE job_outcomes ADD COLUMN progress_counts jsonb;
