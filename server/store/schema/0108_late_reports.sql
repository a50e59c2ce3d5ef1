-- Results that handlers reported after their attempts had been closed, and which were refused: the first of each attempt.
-- outcome: as in job_attempts, 1 SUCCEEDED or 2 FAILED.
CREATE TABLE late_reports (
  job_id      uuid NOT NULL,
  attempt     integer NOT NULL,
  outcome     smallint NOT NULL CHECK (outcome IN (1, 2)),
  report_time timestamptz NOT NULL,
  PRIMARY KEY (job_id, attempt)
);
