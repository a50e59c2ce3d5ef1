-- JSON: the units that the handler of the open attempt has counted, with its first count and the times of both. NULL: none.
ALTER TABLE job_runs ADD COLUMN progress_counts jsonb;
