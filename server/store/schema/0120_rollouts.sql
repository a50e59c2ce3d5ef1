-- How new versions of definitions take the place of those before them.
CREATE TABLE rollouts (
  namespace     text NOT NULL,
  definition    text NOT NULL,
  version       integer NOT NULL,
  -- The version that the other jobs take.
  base_version  integer NOT NULL,
  -- JSON: its steps, its labels, and when it is rolled back.
  settings      text NOT NULL,
  -- 1 OPEN, 2 PROMOTED, 3 ROLLED_BACK, 4 SUPERSEDED
  state         smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
  reason        text NOT NULL DEFAULT '',
  -- Number of its step, and since when it is at it.
  step          smallint NOT NULL DEFAULT 0,
  step_time     timestamptz NOT NULL,
  -- Whether a worker serves the version.
  served        boolean NOT NULL DEFAULT false,
  ended         integer NOT NULL DEFAULT 0,
  failed        integer NOT NULL DEFAULT 0,
  -- Open jobs of the version with an attempt that counted.
  retrying      integer NOT NULL DEFAULT 0,
  base_ended    integer NOT NULL DEFAULT 0,
  base_failed   integer NOT NULL DEFAULT 0,
  start_time    timestamptz NOT NULL,
  end_time      timestamptz,
  check_time    timestamptz,
  PRIMARY KEY (namespace, definition, version),
  CHECK (base_version < version),
  CHECK ((state = 1) = (end_time IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX rollouts_open ON rollouts (namespace, definition) WHERE state = 1;
