CREATE TABLE schedules (
  schedule_id        uuid PRIMARY KEY,
  namespace          text NOT NULL,
  name               text NOT NULL,
  -- Raised by each change that a user makes; the etag.
  revision           integer NOT NULL DEFAULT 1,
  -- JSON: its times, and the policies for times that overlap or are missed.
  rules              text NOT NULL,
  -- JSON: the submission without the input.
  job                text NOT NULL,
  input              bytea NOT NULL,
  input_content_type text NOT NULL,
  input_metadata     text,
  description        text NOT NULL DEFAULT '',
  paused             boolean NOT NULL DEFAULT false,
  pause_reason       text NOT NULL DEFAULT '',
  -- Jobs that it may submit in all, and from now on. NULL: no bound.
  max_runs           bigint,
  runs_left          bigint,
  jobs               bigint NOT NULL DEFAULT 0,
  -- Every nominal time up to this one is decided.
  decided_until      timestamptz NOT NULL,
  next_time          timestamptz,
  -- When a replica must process it next. NULL: never.
  scan_time          timestamptz,
  create_time        timestamptz NOT NULL,
  update_time        timestamptz NOT NULL,
  CHECK (paused OR pause_reason = ''),
  CHECK (runs_left BETWEEN 0 AND max_runs)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX schedules_by_name ON schedules (namespace, name);
CREATE INDEX schedules_due ON schedules (scan_time) WHERE scan_time IS NOT NULL;

-- A row for each nominal time that has a job, waits for one, or was skipped. Times skipped in succession for one reason
-- share a row.
CREATE TABLE schedule_runs (
  schedule_id       uuid NOT NULL,
  nominal_time      timestamptz NOT NULL,
  -- The request that caused it. The nil UUID: the schedule itself.
  cause_id          uuid NOT NULL,
  -- 1 TIME, 2 TRIGGER, 3 BACKFILL
  cause             smallint NOT NULL CHECK (cause BETWEEN 1 AND 3),
  overlap           smallint NOT NULL CHECK (overlap BETWEEN 1 AND 6),
  -- 1 ASKED, 2 BUFFERED, 3 STARTING, 4 STARTED, 5 SKIPPED
  state             smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
  -- Nothing is left to do: it was skipped, or its job has ended.
  settled           boolean NOT NULL,
  skip_reason       smallint CHECK (skip_reason BETWEEN 1 AND 6),
  message           text,
  last_nominal_time timestamptz,
  times             integer NOT NULL DEFAULT 1,
  job_id            uuid,
  decide_time       timestamptz NOT NULL,
  PRIMARY KEY (schedule_id, nominal_time, cause_id),
  CHECK ((state = 5) = (skip_reason IS NOT NULL)),
  CHECK ((state = 4) = (job_id IS NOT NULL)),
  CHECK (state <> 5 OR settled)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX schedule_runs_unsettled ON schedule_runs (schedule_id, state, nominal_time) WHERE NOT settled;
