-- Fairness, and limits of concurrency and rate.

-- NULL: no limit. `rate_limit` is JSON, `fairness_weights` a map of the keys whose weight is not 1.
ALTER TABLE queues
  ADD COLUMN max_concurrency  integer CHECK (max_concurrency > 0),
  ADD COLUMN rate_limit       text,
  ADD COLUMN fairness_weights jsonb;

-- Of the newest version of each definition that has any: they hold for the jobs of all versions.
CREATE TABLE definition_limits (
  namespace  text NOT NULL,
  definition text NOT NULL,
  -- JSON: concurrency, rates and their cost, the limits for each key.
  limits     text NOT NULL,
  PRIMARY KEY (namespace, definition)
);

-- Where units of a rate limit were taken: when all of them are there again. One of before means that they are.
CREATE TABLE rate_buckets (
  bucket_id uuid PRIMARY KEY,
  full_time timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);

-- How far the ranks of a key have been given away. They count for as long as its last job waits.
CREATE TABLE fairness_keys (
  namespace    text NOT NULL,
  queue        text NOT NULL,
  fairness_key text NOT NULL,
  last_rank    bigint NOT NULL,
  last_job_id  uuid NOT NULL,
  -- What the last flush has added to `last_rank`: the first of its jobs ranks behind the difference.
  added        bigint NOT NULL,
  PRIMARY KEY (namespace, queue, fairness_key)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);

ALTER TABLE jobs
  ADD COLUMN fairness_key text,
  ADD COLUMN limit_key    text;

-- Derived from definition and key. NULL for jobs without limits of a key, which pay nothing.
ALTER TABLE job_runs ADD COLUMN limit_id uuid;
CREATE INDEX job_runs_limited ON job_runs (limit_id, state, rank) WHERE limit_id IS NOT NULL;

-- Jobs whose keys have no room wait in lanes of their own, which are always held back, so that claims do not meet them.
ALTER TABLE lanes ADD COLUMN at_limit boolean NOT NULL DEFAULT false;
ALTER TABLE lanes ADD CONSTRAINT lanes_key2
  UNIQUE (namespace, queue, definition, definition_version, demands, suspect, cleanup, at_limit);
ALTER TABLE lanes DROP CONSTRAINT lanes_key;
-- Made anew for the reason that 0009 gives.
DROP INDEX lanes_by_definition;
CREATE INDEX lanes_by_definition ON lanes (namespace, definition, definition_version);
DROP INDEX lanes_by_queue;
CREATE INDEX lanes_by_queue ON lanes ((namespace || '/' || queue));
DROP INDEX lanes_by_breaker;
CREATE INDEX lanes_by_breaker ON lanes (namespace, breaker) WHERE breaker IS NOT NULL;
