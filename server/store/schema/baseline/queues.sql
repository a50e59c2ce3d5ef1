CREATE TABLE queues (
  namespace          text NOT NULL,
  name               text NOT NULL,
  -- Raised by each change; part of the etag.
  revision           integer NOT NULL DEFAULT 1,
  paused             boolean NOT NULL DEFAULT false,
  pause_reason       text NOT NULL DEFAULT '',
  description        text NOT NULL DEFAULT '',
  create_time        timestamptz NOT NULL,
  -- Set when the queue was deleted while it still had lanes: the next job that is submitted to one of them restores the
  -- queue.
  delete_time        timestamptz,
  -- NULL: no limit.
  max_concurrency    integer CHECK (max_concurrency > 0),
  -- JSON; NULL: no limit.
  rate_limit         text,
  -- Weight by key, for keys whose weight is not 1.
  fairness_weights   jsonb,
  -- Backlog at which submissions are refused. 0: no bound.
  max_backlog        integer NOT NULL DEFAULT 0 CHECK (max_backlog BETWEEN 0 AND 1000000000),
  -- Age of the backlog at which submissions are refused. NULL: no bound.
  max_backlog_age_ms bigint CHECK (max_backlog_age_ms BETWEEN 1000 AND 2592000000),
  pause_time         timestamptz,
  PRIMARY KEY (namespace, name),
  CHECK (paused OR pause_reason = ''),
  CHECK (NOT paused OR delete_time IS NULL)
);
-- Each replica reads these every second.
CREATE INDEX queues_with_bounds ON queues (namespace, name) WHERE max_backlog > 0 OR max_backlog_age_ms IS NOT NULL;

-- The highest rank given to each fairness key. A row counts while the key's last job waits.
CREATE TABLE fairness_keys (
  namespace    text NOT NULL,
  queue        text NOT NULL,
  fairness_key text NOT NULL,
  last_rank    bigint NOT NULL,
  last_job_id  uuid NOT NULL,
  -- What the last flush added to `last_rank`: the first of its jobs ranks behind the difference.
  added        bigint NOT NULL,
  PRIMARY KEY (namespace, queue, fairness_key)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);

-- Token buckets of rate limits: the time at which each is full again. A time in the past means a full bucket.
CREATE TABLE rate_buckets (
  bucket_id uuid PRIMARY KEY,
  full_time timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
