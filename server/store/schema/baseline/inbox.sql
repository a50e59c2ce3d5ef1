-- Work for workflows and batches, and for the dependents of jobs, steps and assets: written by the transaction that
-- causes it, deleted by the transaction that does it. Rows live for a moment.
CREATE TABLE job_inbox (
  row_id     bigint GENERATED ALWAYS AS IDENTITY,
  -- The workflow or the batch; or what ended or was published, as in the column `target_id` of `job_dependencies`.
  subject_id uuid NOT NULL,
  -- For workflows and batches: 1 STARTED, 2 CHILDREN_ENDED, 3 CANCEL, 4 TIME_OUT, 5 CONTINUE, 6 CANCEL_CHILDREN,
  -- 7 SEALED, 8 SKIP_STEP. For dependents: 9 JOB_ENDED, 10 STEP_ENDED, 11 ASSET_PUBLISHED
  kind       smallint NOT NULL CHECK (kind BETWEEN 1 AND 11),
  -- 1 WORKFLOW, 2 DEPENDENTS. It leads the primary key: each reader finds its oldest rows without reading the others.
  recipient  smallint NOT NULL GENERATED ALWAYS AS (CASE WHEN kind < 9 THEN 1 ELSE 2 END) STORED,
  step       smallint,
  -- The end state of the jobs or of the step.
  state      smallint,
  items      integer[],
  child_ids  uuid[],
  -- The lane of the job that ended, for dependents.
  lane_id    integer,
  entry_time timestamptz NOT NULL,
  reason     text,
  PRIMARY KEY (recipient, row_id)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
-- Its condition is on `kind`: one on `recipient` would let the planner read the rows of a workflow by the primary key.
CREATE INDEX job_inbox_by_workflow ON job_inbox (subject_id, row_id) WHERE kind < 9;
