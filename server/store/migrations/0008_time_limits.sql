-- Limits in time that few jobs have; NULL everywhere else, so that all other rows stay as long as they were.
ALTER TABLE job_runs
  -- Of the job, from its total timeout.
  ADD COLUMN deadline            timestamptz,
  -- Of the open attempt, from when it was seen running: its run timeout and what the handler asked for beyond it.
  ADD COLUMN run_deadline        timestamptz,
  ADD COLUMN run_extension_ms    bigint,
  -- How long an attempt may be silent, and until when this one may.
  ADD COLUMN progress_timeout_ms bigint,
  ADD COLUMN quiet_deadline      timestamptz,
  -- The watchdog's window, when the current one ends, and how far the attempt was when it began.
  ADD COLUMN watch_window_ms     bigint,
  ADD COLUMN watch_until         timestamptz,
  ADD COLUMN watch_fraction      double precision;
