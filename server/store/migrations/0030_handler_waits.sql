-- Handlers that wait for the end of a job by a call of their client, and hold their places meanwhile.

-- A row for each such call that has lasted for a moment; goes with the call, or once its replica renews the lease no more.
CREATE TABLE handler_waits (
  wait_id     uuid PRIMARY KEY,
  namespace   text NOT NULL,
  -- Whose handler waits, in which attempt, and for which job.
  job_id      uuid NOT NULL,
  attempt     integer NOT NULL,
  target_id   uuid NOT NULL,
  lease_until timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX handler_waits_by_job ON handler_waits (namespace, job_id);
