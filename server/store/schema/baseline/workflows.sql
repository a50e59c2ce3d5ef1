-- A row for each workflow that was started. It is kept as long as its job.
CREATE TABLE workflow_runs (
  job_id         uuid PRIMARY KEY,
  -- Number of nested workflows, this one included.
  depth          smallint NOT NULL CHECK (depth > 0),
  -- 1 WORK, 2 ON_FAILURE, 3 FINALLY, 4 COMPENSATION (between WORK and ON_FAILURE)
  phase          smallint NOT NULL CHECK (phase BETWEEN 1 AND 4),
  running        integer NOT NULL CHECK (running >= 0),
  ended          integer NOT NULL CHECK (ended >= 0),
  -- 0 no, 1 FAILED, 2 CANCELLED, 3 TIMED_OUT
  stop_reason         smallint NOT NULL CHECK (stop_reason BETWEEN 0 AND 3),
  failed         boolean NOT NULL,
  cleanup_failed boolean NOT NULL,
  failure        text,
  -- Steps to compensate if the work fails.
  compensable    integer NOT NULL DEFAULT 0,
  -- Message about compensations that failed.
  not_undone     text
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);

-- A row for each step that is no longer untouched.
CREATE TABLE workflow_steps (
  job_id          uuid NOT NULL,
  step            smallint NOT NULL CHECK (step >= 0),
  -- 1 WAITING, 2 RUNNING, 3 SUCCEEDED, 4 FAILED, 5 UPSTREAM_FAILED, 6 SKIPPED
  state           smallint NOT NULL CHECK (state BETWEEN 1 AND 6),
  -- Ends of the steps that it needs.
  succeeded       smallint NOT NULL,
  failed          smallint NOT NULL,
  upstream_failed smallint NOT NULL,
  skipped         smallint NOT NULL,
  child_job_id    uuid,
  iteration       integer NOT NULL,
  -- JSON: counts of the items of a fan-out.
  fan_out         text,
  reason          text,
  -- The earlier workflow whose step has succeeded in place of this one.
  adopted_from    uuid,
  -- Why a running step must be skipped.
  skip_reason     text,
  -- Of a running step: the key under which its job's result is cached once the job has succeeded.
  cache_key       bytea,
  -- When the step took a cached result. Its job is then an earlier job, and no child of this workflow.
  cache_time      timestamptz,
  PRIMARY KEY (job_id, step)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000);
-- Retention keeps jobs whose results other workflows read: cached results, by job, and results that open retries
-- adopted, by step.
CREATE INDEX workflow_steps_cached ON workflow_steps (child_job_id) WHERE cache_time IS NOT NULL;
CREATE INDEX workflow_steps_adopted ON workflow_steps (adopted_from, step) WHERE adopted_from IS NOT NULL;

-- A row for each succeeded step that has a compensation. It is kept as long as the workflow's job.
CREATE TABLE step_compensations (
  job_id              uuid NOT NULL,
  step                smallint NOT NULL,
  -- Order in which the steps ended.
  end_number          integer NOT NULL,
  -- 1 WAITING, 2 RUNNING, 3 SUCCEEDED, 4 FAILED
  state               smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
  compensation_job_id uuid,
  reason              text,
  PRIMARY KEY (job_id, step)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX step_compensations_waiting ON step_compensations (job_id, end_number) WHERE state = 1;

-- Jobs whose results steps may reuse. The job of a row may be gone.
CREATE TABLE step_cache (
  namespace  text NOT NULL,
  -- SHA-256 of the namespace, the definition, its version, and the input or the key that replaces it.
  key_hash   bytea NOT NULL,
  job_id     uuid NOT NULL,
  until_time timestamptz NOT NULL,
  PRIMARY KEY (namespace, key_hash)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX step_cache_by_job ON step_cache (job_id);
