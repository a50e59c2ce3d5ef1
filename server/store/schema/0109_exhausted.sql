-- exhausted: PAUSED after the last attempt that the retry policy allows. retries_since: when a person resumed such a job;
-- its retries count from there, and suspensions has the attempts before it too. Both NULL: neither.
ALTER TABLE job_runs
  ADD COLUMN exhausted boolean,
  ADD COLUMN retries_since timestamptz;
