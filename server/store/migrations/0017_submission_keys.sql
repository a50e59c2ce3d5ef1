-- Keys of the rules that definitions have for their submissions: one job holds a key.
CREATE TABLE submission_keys (
  -- SHA-256 of the namespace, the definition, the rule, and what the rule compares.
  key_hash   bytea PRIMARY KEY,
  -- 1 uniqueness, 2 debounce, 3 throttle
  kind       smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
  job_id     uuid NOT NULL,
  -- Of a debounce: how far the job that waits may be put off. Of a throttle: when the next job is taken.
  until_time timestamptz,
  CHECK ((kind = 1) = (until_time IS NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX submission_keys_by_job ON submission_keys (job_id);
