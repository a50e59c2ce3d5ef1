-- Attempts of a job that failed for each cause, packed, where its retry policy has limits for causes. NULL is none: the
-- rows of all other jobs stay as long as they were.
ALTER TABLE job_runs ADD COLUMN failures bigint;
