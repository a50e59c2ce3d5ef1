-- Dependencies: jobs that wait for ends of other jobs and of steps, and for publications of data assets.

-- Somebody waits for its end, or its end publishes assets: the statement that ends it writes a row of `dependency_news`.
ALTER TABLE job_runs ADD COLUMN tells_end boolean NOT NULL DEFAULT false;
-- Dependencies that are not met yet, each a row of `job_dependencies`; BLOCKED until it is 0, unless somebody holds the job.
ALTER TABLE job_runs ADD COLUMN waits_for smallint NOT NULL DEFAULT 0;
-- Children that its handler has submitted. They have step -1, or -2 if they go on when their parent ends.
ALTER TABLE job_runs ADD COLUMN children integer NOT NULL DEFAULT 0;

-- What open jobs wait for.
CREATE TABLE job_dependencies (
  job_id    uuid NOT NULL,
  number    smallint NOT NULL,
  -- A job's id, or one that follows from a workflow's and its step's number, or from an asset's name.
  target_id uuid NOT NULL,
  -- 1 JOB, 2 STEP, 3 ASSET
  kind      smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
  -- 1 SUCCEEDED, 2 ENDED, 3 FAILED
  condition smallint NOT NULL CHECK (condition BETWEEN 1 AND 3),
  -- Of a publication: met by one after it.
  after_time      timestamptz NOT NULL DEFAULT '-infinity',
  workflow_job_id uuid,
  step            smallint,
  -- Of the step or the asset.
  name      text
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX job_dependencies_by_target ON job_dependencies (target_id, after_time);
CREATE INDEX job_dependencies_by_workflow ON job_dependencies (workflow_job_id) WHERE workflow_job_id IS NOT NULL;
ALTER TABLE job_dependencies ADD PRIMARY KEY (job_id, number);

-- What has come about: written by the transaction that makes it so, taken by the one that lets jobs go. Rows live for a moment.
CREATE TABLE dependency_news (
  row_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  target_id uuid NOT NULL,
  kind      smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
  -- As which a job ended, or a step; a job's lane.
  state     smallint,
  lane_id   integer,
  news_time timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);

-- A row for each asset that was published, or that somebody waits for. Whoever adds a dependency on it holds the row's lock, and so does
-- who publishes it: neither misses the other.
CREATE TABLE assets (
  asset_id     uuid PRIMARY KEY,
  namespace    text NOT NULL,
  name         text NOT NULL,
  -- How often it was published; 0: never.
  version      bigint NOT NULL DEFAULT 0,
  publish_time timestamptz,
  job_id       uuid,
  UNIQUE (namespace, name)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
