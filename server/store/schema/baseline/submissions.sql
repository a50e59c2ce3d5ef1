CREATE TABLE idempotency_keys (
  namespace       text NOT NULL,
  idempotency_key text NOT NULL,
  job_id          uuid NOT NULL,
  content_hash    bytea NOT NULL,
  create_time     timestamptz NOT NULL,
  PRIMARY KEY (namespace, idempotency_key)
);

-- Answers of submissions, for calls that are repeated with the same request id.
CREATE TABLE request_ids (
  namespace   text NOT NULL,
  request_id  uuid NOT NULL,
  body_hash   bytea NOT NULL,
  job_ids     uuid[] NOT NULL,
  existing    boolean[] NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (namespace, request_id)
);

-- Keys of the submission rules of definitions. One job has a key.
CREATE TABLE submission_keys (
  -- SHA-256 of the namespace, the definition, the rule, and what the rule compares.
  key_hash   bytea PRIMARY KEY,
  -- 1 uniqueness, 2 debounce, 3 throttle
  kind       smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
  job_id     uuid NOT NULL,
  -- Debounce: the latest time to which the waiting job may be delayed. Throttle: when the next job is accepted.
  until_time timestamptz,
  CHECK ((kind = 1) = (until_time IS NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX submission_keys_by_job ON submission_keys (job_id);
