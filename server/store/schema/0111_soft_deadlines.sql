-- Jobs with a time by which they should have ended. reaction: 1 NOTIFY, 2 RAISE_PRIORITY, 3 CANCEL. open: nobody has
-- looked yet whether the job ended in time. miss_time: when somebody found that it had not.
CREATE TABLE soft_deadlines (
  job_id    uuid PRIMARY KEY,
  time      timestamptz NOT NULL,
  reaction  smallint NOT NULL CHECK (reaction BETWEEN 1 AND 3),
  priority  smallint NOT NULL CHECK (priority BETWEEN -100 AND 100),
  open      boolean NOT NULL DEFAULT true,
  miss_time timestamptz
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX soft_deadlines_open ON soft_deadlines (time) WHERE open;
CREATE INDEX soft_deadlines_missed ON soft_deadlines (job_id) WHERE miss_time IS NOT NULL;
