-- Workflows: jobs that the control plane runs, and whose steps are jobs with a parent.

-- Of a step's job: its workflow's job, the step's number, the item's place in a fan-out or the pass of a loop.
ALTER TABLE job_runs ADD COLUMN parent_job_id uuid, ADD COLUMN step smallint, ADD COLUMN item integer;
-- Those that nobody has asked to stop: of many that are cancelled page by page, each page finds the rest at once.
CREATE INDEX job_runs_children ON job_runs (parent_job_id, step, job_id) WHERE parent_job_id IS NOT NULL AND state <> 8;
ALTER TABLE jobs ADD COLUMN step smallint, ADD COLUMN item integer;
CREATE INDEX jobs_by_parent ON jobs (parent_job_id, step, item) WHERE parent_job_id IS NOT NULL;
-- Lists are read newest first. Its condition keeps statements that look a step or an item up from taking it for the one above.
CREATE INDEX jobs_by_parent_newest ON jobs (parent_job_id, job_id) WHERE item IS NOT NULL;
-- A workflow that is CANCELLING is held by no session.
ALTER TABLE job_runs DROP CONSTRAINT job_runs_check1;
ALTER TABLE job_runs ADD CONSTRAINT job_runs_session
  CHECK (CASE WHEN session_id IS NULL THEN state NOT IN (5, 6) ELSE state IN (5, 6, 8) END);

-- A row for each workflow that was started; kept as long as its job.
CREATE TABLE workflow_runs (
  job_id         uuid PRIMARY KEY,
  -- Workflows around it, itself included.
  depth          smallint NOT NULL CHECK (depth > 0),
  -- 1 WORK, 2 ON_FAILURE, 3 FINALLY
  phase          smallint NOT NULL CHECK (phase BETWEEN 1 AND 3),
  running        integer NOT NULL CHECK (running >= 0),
  ended          integer NOT NULL CHECK (ended >= 0),
  -- 0 no, 1 FAILED, 2 CANCELLED, 3 TIMED_OUT
  doomed         smallint NOT NULL CHECK (doomed BETWEEN 0 AND 3),
  failed         boolean NOT NULL,
  cleanup_failed boolean NOT NULL,
  failure        text
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);

-- A row for each step that something has happened to.
CREATE TABLE workflow_steps (
  job_id          uuid NOT NULL,
  step            smallint NOT NULL CHECK (step >= 0),
  state           smallint NOT NULL CHECK (state BETWEEN 1 AND 6),
  -- How the steps that it needs have ended.
  succeeded       smallint NOT NULL,
  failed          smallint NOT NULL,
  upstream_failed smallint NOT NULL,
  skipped         smallint NOT NULL,
  child_job_id    uuid,
  iteration       integer NOT NULL,
  -- JSON: the counts of its items.
  fan_out         text,
  reason          text,
  -- The workflow whose step succeeded in place of this one.
  adopted_from    uuid,
  PRIMARY KEY (job_id, step)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000);

-- What workflows are to act upon: written by the transaction that makes it so, taken by the one that acts. Rows live for a moment.
CREATE TABLE workflow_news (
  row_id    bigint GENERATED ALWAYS AS IDENTITY,
  -- The workflow's.
  job_id    uuid NOT NULL,
  kind      smallint NOT NULL CHECK (kind BETWEEN 1 AND 6),
  step      smallint,
  state     smallint,
  items     integer[],
  child_ids uuid[],
  news_time timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX workflow_news_by_job ON workflow_news (job_id, row_id);
-- After the index that has row_id, too: where two cost the same, the newer one is taken.
ALTER TABLE workflow_news ADD PRIMARY KEY (row_id);
