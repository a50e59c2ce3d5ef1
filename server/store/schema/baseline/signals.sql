-- A row for each open job that waits for a signal; deleted when the job ends. Row ids are assigned under a lock on the
-- signal's key, so they have the order in which jobs began to wait.
CREATE TABLE signal_waits (
  row_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id  uuid NOT NULL,
  -- Derived from namespace, name and key of the signal.
  signal_key_id uuid NOT NULL,
  name    text NOT NULL,
  key     text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX signal_waits_by_key ON signal_waits (signal_key_id, row_id);
CREATE UNIQUE INDEX signal_waits_by_job ON signal_waits (job_id);

-- Signals in delivery, and signals kept for a later job.
CREATE TABLE sent_signals (
  row_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace    text NOT NULL,
  signal_key_id      uuid NOT NULL,
  payload      bytea NOT NULL,
  content_type text NOT NULL,
  metadata     text,
  send_time    timestamptz NOT NULL,
  -- When it is deleted if no job has taken it.
  keep_until   timestamptz NOT NULL,
  delivered    integer NOT NULL DEFAULT 0 CHECK (delivered >= 0),
  -- It goes to the rows of signal_waits after the first id, up to the second. NULL: it is kept.
  after_row    bigint,
  up_to_row    bigint,
  CHECK ((after_row IS NULL) = (up_to_row IS NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX sent_signals_kept ON sent_signals (signal_key_id, row_id) WHERE up_to_row IS NULL;
CREATE INDEX sent_signals_delivering ON sent_signals (signal_key_id, up_to_row) WHERE up_to_row IS NOT NULL;
