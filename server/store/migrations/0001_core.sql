-- Record, run, outcome: `jobs` never changes, `job_runs` holds what is open, `job_outcomes` holds what ended.

-- The one clock. Always read once a statement, as (SELECT muster_now()).
CREATE FUNCTION muster_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT clock_timestamp()';

CREATE TABLE job_definitions (
  namespace    text NOT NULL,
  name         text NOT NULL,
  version      integer NOT NULL CHECK (version > 0),
  content_hash bytea NOT NULL,
  body         text NOT NULL,
  create_time  timestamptz NOT NULL,
  PRIMARY KEY (namespace, name, version)
);

-- Jobs with the same placement share a lane; claims read ready jobs lane by lane.
CREATE TABLE lanes (
  lane_id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace          text NOT NULL,
  queue              text NOT NULL,
  definition         text NOT NULL,
  definition_version integer NOT NULL,
  demands            text NOT NULL,
  suspect            boolean NOT NULL,
  UNIQUE (namespace, queue, definition, definition_version, demands, suspect)
);

CREATE TABLE sessions (
  session_id  uuid PRIMARY KEY,
  namespace   text NOT NULL,
  worker_name text NOT NULL,
  -- 1 OPEN, 2 CLOSING, 3 CLOSED
  state       smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
  -- Why it was closed: 1 lapse, 2 close, 3 mass lapse. Decides what its attempts are charged, also for a sweeper
  -- that takes over a half-closed session.
  close_cause smallint CHECK (close_cause BETWEEN 1 AND 3),
  lease_until timestamptz NOT NULL,
  beat_time   timestamptz NOT NULL,
  open_time   timestamptz NOT NULL,
  close_time  timestamptz,
  -- Raised by each heartbeat and published as a ping; the echo is the highest ping that came back.
  beats       bigint NOT NULL DEFAULT 0,
  ping_echo   bigint NOT NULL DEFAULT 0,
  draining    boolean NOT NULL DEFAULT false,
  slots       integer NOT NULL,
  handlers    text NOT NULL,
  labels      text NOT NULL,
  resources   text NOT NULL,
  sdk         text NOT NULL,
  request_id  uuid,
  CHECK ((state = 1) = (close_cause IS NULL)),
  CHECK ((state = 3) = (close_time IS NOT NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX sessions_not_closed ON sessions (namespace, session_id) WHERE state <> 3;
CREATE UNIQUE INDEX sessions_request_id ON sessions (namespace, request_id) WHERE request_id IS NOT NULL;

CREATE TABLE jobs (
  job_id             uuid NOT NULL,
  -- Namespace, queue, definition and its version: the lane that the job was submitted to says them.
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
  expire_time        timestamptz
) PARTITION BY RANGE (job_id);
CREATE INDEX jobs_by_lane ON jobs (lane_id, job_id);
-- After the other index with job_id: where two indexes cost the same, as on a table that is known to be empty, the newer
-- one is taken, and looking up a job in the one by lane means to read all of it.
ALTER TABLE jobs ADD PRIMARY KEY (job_id);
CREATE INDEX jobs_by_label ON jobs USING gin (labels jsonb_path_ops) WHERE labels IS NOT NULL;
CREATE TABLE jobs_default PARTITION OF jobs DEFAULT;

CREATE TABLE job_runs (
  job_id            uuid PRIMARY KEY,
  lane_id           integer NOT NULL,
  state             smallint NOT NULL CHECK (state BETWEEN 1 AND 8),
  rank              bigint NOT NULL,
  revision          integer NOT NULL DEFAULT 1,
  attempt           integer NOT NULL DEFAULT 0,
  attempts_counted  integer NOT NULL DEFAULT 0,
  input_size        integer NOT NULL,
  session_id        uuid,
  credit_id         bigint,
  assign_time       timestamptz,
  -- What is due: SCHEDULED its run time, READY its expiry, RUNNING its run timeout, CANCELLING the end of its grace.
  due_time          timestamptz,
  expire_time       timestamptz,
  run_timeout_ms    bigint NOT NULL,
  losses            smallint NOT NULL DEFAULT 0,
  charges           smallint NOT NULL DEFAULT 0,
  lost              smallint NOT NULL DEFAULT 0,
  releases          smallint NOT NULL DEFAULT 0,
  releases_since    timestamptz,
  progress_sequence bigint NOT NULL DEFAULT 0,
  progress_fraction double precision,
  progress_message  text,
  reason            text,
  CHECK (attempts_counted <= attempt),
  CHECK ((session_id IS NOT NULL) = (state IN (5, 6, 8))),
  CHECK (state <> 2 OR due_time IS NOT NULL),
  CHECK (state <> 5 OR due_time IS NULL)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000,
        autovacuum_analyze_scale_factor = 0.0, autovacuum_analyze_threshold = 50000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX job_runs_ready ON job_runs (lane_id, rank, job_id) WHERE state = 3;
CREATE INDEX job_runs_held ON job_runs (session_id, state) WHERE session_id IS NOT NULL;
CREATE INDEX job_runs_due ON job_runs (due_time) WHERE due_time IS NOT NULL;

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
  attempts_counted    integer NOT NULL,
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
  PRIMARY KEY (job_id),
  CHECK ((state = 9) = (result IS NOT NULL)),
  CHECK ((state = 9) = (failure IS NULL)),
  CHECK ((state = 13) = (skip_reason IS NOT NULL))
) PARTITION BY RANGE (job_id);
CREATE TABLE job_outcomes_default PARTITION OF job_outcomes DEFAULT;

-- Closed attempts that were not a job's last.
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

CREATE TABLE idempotency_keys (
  namespace       text NOT NULL,
  idempotency_key text NOT NULL,
  job_id          uuid NOT NULL,
  content_hash    bytea NOT NULL,
  create_time     timestamptz NOT NULL,
  PRIMARY KEY (namespace, idempotency_key)
);

CREATE TABLE request_ids (
  namespace   text NOT NULL,
  request_id  uuid NOT NULL,
  body_hash   bytea NOT NULL,
  job_ids     uuid[] NOT NULL,
  existing    boolean[] NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (namespace, request_id)
);

-- How long ended jobs are kept where it differs from 7 days; an empty definition stands for the whole namespace.
CREATE TABLE retentions (
  namespace    text NOT NULL,
  definition   text NOT NULL,
  retention_ms bigint NOT NULL CHECK (retention_ms >= 0),
  PRIMARY KEY (namespace, definition)
);
