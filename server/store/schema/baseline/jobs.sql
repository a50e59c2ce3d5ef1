-- Record, run, outcome: a row of `jobs` never changes, `job_runs` has the open jobs, `job_outcomes` has the ended ones.
-- States: 1 BLOCKED, 2 SCHEDULED, 3 READY, 4 PAUSED, 5 ASSIGNED, 6 RUNNING, 7 WAITING, 8 CANCELLING, 9 SUCCEEDED, 10
-- FAILED, 11 CANCELLED, 12 EXPIRED, 13 SKIPPED.

CREATE TABLE jobs (
  job_id             uuid NOT NULL,
  -- The lane at submission: it has the namespace, the queue, the definition and its version.
  lane_id            integer NOT NULL,
  priority           smallint NOT NULL,
  labels             jsonb,
  input              bytea NOT NULL,
  input_content_type text NOT NULL,
  input_metadata     text,
  demands            text,
  retry_policy       text,
  run_timeout_ms     bigint NOT NULL,
  idempotency_key    text,
  traceparent        text,
  tracestate         text,
  parent_job_id      uuid,
  retry_of           uuid,
  create_time        timestamptz NOT NULL,
  run_time           timestamptz,
  expire_time        timestamptz,
  -- The audit record of the erasure. NULL: the job was not erased.
  erase_audit_id     uuid,
  fairness_key       text,
  limit_key          text,
  -- As in `job_runs`.
  step               smallint,
  item               integer,
  -- JSON array of {job}, {job, step} or, for an asset, the job that published it. NULL: no dependencies.
  depends_on         jsonb
) PARTITION BY RANGE (job_id);
CREATE INDEX jobs_by_lane ON jobs (lane_id, job_id);
-- The primary key must be newer than jobs_by_lane: where two indexes cost the same, as on an empty table, PostgreSQL
-- takes the newer one, and a lookup by job in jobs_by_lane reads all of it.
ALTER TABLE jobs ADD PRIMARY KEY (job_id);
CREATE INDEX jobs_by_label ON jobs USING gin (labels jsonb_path_ops) WHERE labels IS NOT NULL;
CREATE INDEX jobs_by_retry ON jobs (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX jobs_by_parent ON jobs (parent_job_id, step, item) WHERE parent_job_id IS NOT NULL;
-- Lists are newest first. The condition keeps lookups of a step or an item from using this index in place of
-- jobs_by_parent.
CREATE INDEX jobs_by_parent_newest ON jobs (parent_job_id, job_id) WHERE item IS NOT NULL;
CREATE TABLE jobs_default PARTITION OF jobs DEFAULT;

-- Columns that few jobs need are nullable, so that all other rows stay short.
CREATE TABLE job_runs (
  job_id              uuid PRIMARY KEY,
  lane_id             integer NOT NULL,
  state               smallint NOT NULL CHECK (state BETWEEN 1 AND 8),
  rank                bigint NOT NULL,
  revision            integer NOT NULL DEFAULT 1,
  attempt             integer NOT NULL DEFAULT 0,
  attempt_count    integer NOT NULL DEFAULT 0,
  input_size          integer NOT NULL,
  session_id          uuid,
  credit_id           bigint,
  assign_time         timestamptz,
  -- SCHEDULED: its run time. READY: its expiry. RUNNING: its run timeout. CANCELLING: the end of its grace period.
  due_time            timestamptz,
  expire_time         timestamptz,
  run_timeout_ms      bigint NOT NULL,
  consecutive_losses smallint NOT NULL DEFAULT 0,
  suspect_losses smallint NOT NULL DEFAULT 0,
  total_losses smallint NOT NULL DEFAULT 0,
  releases            smallint NOT NULL DEFAULT 0,
  releases_since      timestamptz,
  progress_sequence   bigint NOT NULL DEFAULT 0,
  progress_fraction   double precision,
  progress_message    text,
  reason              text,
  -- PAUSED: when the job may run once it is resumed.
  run_time            timestamptz,
  -- The definition has a result schema: a result counts only after it was checked.
  check_result        boolean NOT NULL DEFAULT false,
  -- Failed attempts by cause, packed, for retry policies with limits per cause.
  failures            bigint,
  -- End of the job's total timeout.
  deadline            timestamptz,
  -- End of the open attempt, from its first start: its run timeout and the extension that the handler asked for.
  run_deadline        timestamptz,
  run_extension_ms    bigint,
  -- Longest time without progress, and when it ends for the open attempt.
  progress_timeout_ms bigint,
  quiet_deadline      timestamptz,
  -- The watchdog's window, the end of the current one, and the progress at its start.
  watch_window_ms     bigint,
  watch_until         timestamptz,
  watch_fraction      double precision,
  cancel_time         timestamptz,
  -- Derived from the definition and the limit key. NULL: no limit per key.
  limit_id            uuid,
  -- Why the job must be found by its limit. 1: it is deferred at the limit. 2: a policy other than WAIT counts it while
  -- it is open. NULL: no lookup needs it, and it is not in that index, since most READY rows live for milliseconds.
  limit_mark          smallint CHECK (limit_mark BETWEEN 1 AND 2),
  -- When it was paused. NULL: not paused.
  pause_time          timestamptz,
  -- Parent, number of the step, and index of the item of a fan-out or of the iteration of a loop. Children that a
  -- handler submitted have step -1, or -2 if they continue when their parent ends.
  parent_job_id       uuid,
  step                smallint,
  item                integer,
  -- A dependency or an asset needs to know the end: the statement that ends the job adds a row to `job_inbox`.
  notifies_end           boolean NOT NULL DEFAULT false,
  -- Unmet dependencies, each a row of `job_dependencies`. The job is BLOCKED until this is 0, unless it is paused.
  unmet_dependencies           smallint NOT NULL DEFAULT 0,
  -- Open children that its handler submitted.
  children            integer NOT NULL DEFAULT 0,
  -- Attempts that ended as SUSPENDED: they are part of `attempt` and are not counted. NULL: none.
  suspensions         integer,
  CHECK (attempt_count <= attempt),
  CONSTRAINT job_runs_check2 CHECK (state <> 2 OR due_time IS NOT NULL),
  CONSTRAINT job_runs_check3 CHECK (state <> 5 OR due_time IS NULL),
  -- A workflow that is CANCELLING has no session.
  CONSTRAINT job_runs_session CHECK (CASE WHEN session_id IS NULL THEN state NOT IN (5, 6) ELSE state IN (5, 6, 8) END)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000,
        autovacuum_analyze_scale_factor = 0.0, autovacuum_analyze_threshold = 50000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX job_runs_ready ON job_runs (lane_id, rank, job_id) WHERE state = 3;
CREATE INDEX job_runs_held ON job_runs (session_id, state) WHERE session_id IS NOT NULL;
CREATE INDEX job_runs_due ON job_runs (due_time) WHERE due_time IS NOT NULL;
CREATE INDEX job_runs_marked ON job_runs (limit_id, state, rank) WHERE limit_mark IS NOT NULL;
CREATE INDEX job_runs_held_by_limit ON job_runs (limit_id) WHERE limit_id IS NOT NULL AND state IN (5, 6, 8);
-- Children that are not CANCELLING yet: a cancel in pages finds the remaining ones at once.
CREATE INDEX job_runs_children ON job_runs (parent_job_id, step, job_id) WHERE parent_job_id IS NOT NULL AND state <> 8;

CREATE TABLE job_checkpoints (
  job_id       uuid PRIMARY KEY,
  sequence     bigint NOT NULL,
  attempt      integer NOT NULL,
  data         bytea NOT NULL,
  content_type text NOT NULL,
  metadata     text
);

CREATE TABLE job_outcomes (
  job_id              uuid NOT NULL,
  state               smallint NOT NULL CHECK (state BETWEEN 9 AND 13),
  revision            integer NOT NULL,
  attempt             integer NOT NULL,
  attempt_count    integer NOT NULL,
  session_id          uuid,
  assign_time         timestamptz,
  end_time            timestamptz NOT NULL,
  result              bytea,
  result_content_type text,
  result_metadata     text,
  failure             text,
  skip_reason         smallint,
  progress_fraction   double precision,
  progress_message    text,
  reason              text,
  -- As CancelStage in the contract.
  cancel_stage        smallint,
  cancel_time         timestamptz,
  cancel_reason       text,
  cleanup_job_id      uuid,
  PRIMARY KEY (job_id),
  CHECK ((state = 9) = (result IS NOT NULL)),
  CHECK ((state = 9) = (failure IS NULL)),
  CHECK ((state = 13) = (skip_reason IS NOT NULL))
) PARTITION BY RANGE (job_id);
CREATE TABLE job_outcomes_default PARTITION OF job_outcomes DEFAULT;
-- Lists of jobs that did not succeed. The hot path writes state 9 only, so it does not pay for this index.
CREATE INDEX job_outcomes_unsuccessful ON job_outcomes (state, job_id) WHERE state <> 9;
-- For retention. Rows lie in the order in which jobs ended, so a summary of each MiB finds a time, and a new row costs
-- next to nothing.
CREATE INDEX job_outcomes_ended ON job_outcomes USING brin (end_time) WITH (pages_per_range = 128);

-- Closed attempts that were not the last of their job.
CREATE TABLE job_attempts (
  job_id      uuid NOT NULL,
  attempt     integer NOT NULL,
  session_id  uuid NOT NULL,
  outcome     smallint NOT NULL,
  counted     boolean NOT NULL,
  assign_time timestamptz NOT NULL,
  end_time    timestamptz NOT NULL,
  failure     text,
  PRIMARY KEY (job_id, attempt)
);

-- The newest 64 KiB of each attempt's log, in chunks of about 8 KiB.
CREATE TABLE attempt_logs (
  job_id         uuid NOT NULL,
  attempt        integer NOT NULL,
  -- Sequence numbers of the chunk's records. The worker dropped those that are missing between them.
  first_sequence bigint NOT NULL CHECK (first_sequence > 0),
  last_sequence  bigint NOT NULL CHECK (last_sequence >= first_sequence),
  -- A line of JSON per record.
  data           bytea NOT NULL CHECK (octet_length(data) <= 131072),
  PRIMARY KEY (job_id, attempt, first_sequence)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
