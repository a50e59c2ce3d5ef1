-- What submits jobs as time goes by, and what became of each of its times.
CREATE TABLE schedules (
  schedule_id        uuid PRIMARY KEY,
  namespace          text NOT NULL,
  name               text NOT NULL,
  -- Raised by each change that a person makes; the etag.
  revision           integer NOT NULL DEFAULT 1,
  -- JSON: when it runs, and what it does where times overlap or are missed.
  rules              text NOT NULL,
  -- JSON: what it submits, without the input.
  job                text NOT NULL,
  input              bytea NOT NULL,
  input_content_type text NOT NULL,
  input_metadata     text,
  description        text NOT NULL DEFAULT '',
  paused             boolean NOT NULL DEFAULT false,
  pause_reason       text NOT NULL DEFAULT '',
  -- Jobs that its times may give, and may still give; NULL: any number.
  max_runs           bigint,
  runs_left          bigint,
  jobs               bigint NOT NULL DEFAULT 0,
  -- Every time up to here has been decided; the next one; and when it is looked at again.
  decided_until      timestamptz NOT NULL,
  next_time          timestamptz,
  look_time          timestamptz,
  create_time        timestamptz NOT NULL,
  update_time        timestamptz NOT NULL,
  CHECK (paused OR pause_reason = ''),
  CHECK (runs_left BETWEEN 0 AND max_runs)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX schedules_by_name ON schedules (namespace, name);
CREATE INDEX schedules_due ON schedules (look_time) WHERE look_time IS NOT NULL;

-- One row for each time that got a job, waits for one, or was skipped; those skipped one after the other for one reason share
-- a row.
CREATE TABLE schedule_runs (
  schedule_id       uuid NOT NULL,
  nominal_time      timestamptz NOT NULL,
  -- Of the request that asked for it; the nil UUID is the schedule's own.
  cause_id          uuid NOT NULL,
  cause             smallint NOT NULL CHECK (cause BETWEEN 1 AND 3),
  overlap           smallint NOT NULL CHECK (overlap BETWEEN 1 AND 6),
  state             smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
  -- Nothing is to be done about it any more: skipped, or its job has ended.
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
