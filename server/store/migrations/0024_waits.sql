-- Waits: jobs that end by an event, and events that no job was there for.

-- A row for each open job that waits for an event; goes with its end. Of one event's key the numbers follow the order in which the
-- jobs began to wait, since they are given out under the key's lock.
CREATE TABLE event_waits (
  row_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id  uuid NOT NULL,
  -- Follows from namespace, name and key of the event.
  wait_id uuid NOT NULL,
  name    text NOT NULL,
  key     text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX event_waits_by_key ON event_waits (wait_id, row_id);
CREATE UNIQUE INDEX event_waits_by_job ON event_waits (job_id);

-- Events that are being delivered, or are kept for a job to come.
CREATE TABLE sent_events (
  row_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace    text NOT NULL,
  wait_id      uuid NOT NULL,
  payload      bytea NOT NULL,
  content_type text NOT NULL,
  metadata     text,
  send_time    timestamptz NOT NULL,
  -- Until when it is kept if no job has taken it.
  keep_until   timestamptz NOT NULL,
  delivered    integer NOT NULL DEFAULT 0 CHECK (delivered >= 0),
  -- It goes to the rows of event_waits behind the one and up to the other. NULL: it is kept.
  after_row    bigint,
  up_to_row    bigint,
  CHECK ((after_row IS NULL) = (up_to_row IS NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX sent_events_kept ON sent_events (wait_id, row_id) WHERE up_to_row IS NULL;
CREATE INDEX sent_events_delivering ON sent_events (wait_id, up_to_row) WHERE up_to_row IS NOT NULL;
