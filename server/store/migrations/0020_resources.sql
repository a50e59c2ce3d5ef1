-- Jobs that take amounts of their session's resources. What is taken is counted from the jobs that the session holds.

-- Lanes whose first job has found no room. One that has waited for long has a session kept free for it.
CREATE TABLE lane_waits (
  lane_id    integer PRIMARY KEY,
  since_time timestamptz NOT NULL,
  ask_time   timestamptz NOT NULL,
  session_id uuid
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX lane_waits_by_session ON lane_waits (session_id) WHERE session_id IS NOT NULL;
