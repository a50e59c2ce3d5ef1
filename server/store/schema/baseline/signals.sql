-- A row for each open job that waits for an event; deleted when the job ends. Row ids are assigned under a lock on the
-- event's key, so they have the order in which jobs began to wait.
CREATE TABLE event_waits (
  row_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id  uuid NOT NULL,
  -- Derived from namespace, name and key of the event.
  wait_id uuid NOT NULL,
  name    text NOT NULL,
  key     text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX event_waits_by_key ON event_waits (wait_id, row_id);
CREATE UNIQUE INDEX event_waits_by_job ON event_waits (job_id);

-- Events in delivery, and events kept for a later job.
CREATE TABLE sent_events (
  row_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace    text NOT NULL,
  wait_id      uuid NOT NULL,
  payload      bytea NOT NULL,
  content_type text NOT NULL,
  metadata     text,
  send_time    timestamptz NOT NULL,
  -- When it is deleted if no job has taken it.
  keep_until   timestamptz NOT NULL,
  delivered    integer NOT NULL DEFAULT 0 CHECK (delivered >= 0),
  -- It goes to the rows of event_waits after the first id, up to the second. NULL: it is kept.
  after_row    bigint,
  up_to_row    bigint,
  CHECK ((after_row IS NULL) = (up_to_row IS NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX sent_events_kept ON sent_events (wait_id, row_id) WHERE up_to_row IS NULL;
CREATE INDEX sent_events_delivering ON sent_events (wait_id, up_to_row) WHERE up_to_row IS NOT NULL;
