-- Jobs with the same placement share a lane. Claims read ready jobs lane by lane.
CREATE TABLE lanes (
  lane_id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace          text NOT NULL,
  queue              text NOT NULL,
  definition         text NOT NULL,
  definition_version integer NOT NULL,
  demands            text NOT NULL,
  suspect            boolean NOT NULL,
  -- Clean-up jobs have lanes of their own: another handler runs them.
  cleanup            boolean NOT NULL DEFAULT false,
  -- Bits that stop assignment from the lane: 1 its queue is paused, 2 a circuit breaker is open.
  gates          smallint NOT NULL DEFAULT 0,
  -- The circuit breaker that can stop this lane. NULL: none; clean-up jobs never have one.
  breaker            text,
  -- Jobs whose limit key is exhausted wait in lanes of their own. Claims never read these lanes.
  at_limit           boolean NOT NULL DEFAULT false,
  CONSTRAINT lanes_key UNIQUE (namespace, queue, definition, definition_version, demands, suspect, cleanup, at_limit)
);
-- These indexes must be newer than lanes_key: where two indexes cost the same, as on an empty table, PostgreSQL takes
-- the newer one, and it keeps that plan when the table has grown.
CREATE INDEX lanes_by_definition ON lanes (namespace, definition, definition_version);
-- One text, so that no other lookup can use a part of this index. Names contain no slash.
CREATE INDEX lanes_by_queue ON lanes ((namespace || '/' || queue));
CREATE INDEX lanes_by_breaker ON lanes (namespace, breaker) WHERE breaker IS NOT NULL;

-- Open jobs per lane and state; states 5, 6 and 8 with a session count as 5. Every statement that adds, moves or ends
-- jobs inserts its differences into lane_count_changes, where no writer waits for another. Each second they are folded
-- into lane_counts. The sum of both tables is always exact.
CREATE TABLE lane_counts (
  lane_id       integer  NOT NULL,
  state         smallint NOT NULL CHECK (state IN (1, 2, 3, 4, 5, 7)),
  jobs          bigint   NOT NULL,
  -- Rows of state 5 only: jobs that were assigned in this minute (counted since 1970), and in the minute before.
  minute        bigint  NOT NULL DEFAULT 0,
  starts        integer NOT NULL DEFAULT 0,
  starts_before integer NOT NULL DEFAULT 0,
  PRIMARY KEY (lane_id, state)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
-- It has no index: it contains one second's rows and is read whole.
CREATE TABLE lane_count_changes (
  lane_id integer  NOT NULL,
  state   smallint NOT NULL,
  jobs    integer  NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);

-- Lanes whose first job found no session with enough free resources. After a long wait, a session is kept free for the
-- lane.
CREATE TABLE reservations (
  lane_id    integer PRIMARY KEY,
  since_time timestamptz NOT NULL,
  ask_time   timestamptz NOT NULL,
  session_id uuid
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX reservations_by_session ON reservations (session_id) WHERE session_id IS NOT NULL;
