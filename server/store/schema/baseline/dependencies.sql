-- Unmet dependencies of open jobs.
CREATE TABLE job_dependencies (
  job_id          uuid NOT NULL,
  number          smallint NOT NULL,
  -- A job's id, or an id derived from a workflow and the number of its step, or from an asset's name.
  target_id       uuid NOT NULL,
  -- 1 JOB, 2 STEP, 3 ASSET
  kind            smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
  -- 1 SUCCEEDED, 2 ENDED, 3 FAILED
  condition       smallint NOT NULL CHECK (condition BETWEEN 1 AND 3),
  -- A publication meets the dependency only if it is later.
  after_time      timestamptz NOT NULL DEFAULT '-infinity',
  workflow_job_id uuid,
  step            smallint,
  -- Name of the step or of the asset.
  name            text
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX job_dependencies_by_target ON job_dependencies (target_id, after_time);
CREATE INDEX job_dependencies_by_workflow ON job_dependencies (workflow_job_id) WHERE workflow_job_id IS NOT NULL;
-- The primary key must be the newest index: where two cost the same, PostgreSQL takes the newer one.
ALTER TABLE job_dependencies ADD PRIMARY KEY (job_id, number);

-- A row for each asset that was published or that a job depends on. A transaction that adds a dependency or publishes
-- locks the row, so neither misses the other.
CREATE TABLE assets (
  asset_id     uuid PRIMARY KEY,
  namespace    text NOT NULL,
  name         text NOT NULL,
  -- Number of publications.
  version      bigint NOT NULL DEFAULT 0,
  publish_time timestamptz,
  job_id       uuid,
  UNIQUE (namespace, name)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
