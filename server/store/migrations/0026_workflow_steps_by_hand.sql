-- Steps of workflows: what takes them back once the work has failed, and people who skip them.

-- 4: COMPENSATION, between WORK and ON_FAILURE. Rows that are there fit: they need no looking at.
ALTER TABLE workflow_runs DROP CONSTRAINT workflow_runs_phase_check;
ALTER TABLE workflow_runs ADD CONSTRAINT workflow_runs_phase_check CHECK (phase BETWEEN 1 AND 4) NOT VALID;
-- Steps that are to be taken back if the work fails, and what is told of those that could not be.
ALTER TABLE workflow_runs
  ADD COLUMN compensable integer NOT NULL DEFAULT 0,
  ADD COLUMN not_undone text;

-- A row for each step with a compensation that has succeeded; kept as long as its workflow's job.
CREATE TABLE step_compensations (
  job_id              uuid NOT NULL,
  step                smallint NOT NULL,
  -- In the order in which the steps have ended.
  end_number          integer NOT NULL,
  -- 1 WAITING, 2 RUNNING, 3 SUCCEEDED, 4 FAILED
  state               smallint NOT NULL CHECK (state BETWEEN 1 AND 4),
  compensation_job_id uuid,
  reason              text,
  PRIMARY KEY (job_id, step)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX step_compensations_waiting ON step_compensations (job_id, end_number) WHERE state = 1;

-- 8: a step is to be skipped; why.
ALTER TABLE workflow_news DROP CONSTRAINT workflow_news_kind_check;
ALTER TABLE workflow_news ADD CONSTRAINT workflow_news_kind_check CHECK (kind BETWEEN 1 AND 8);
ALTER TABLE workflow_news ADD COLUMN reason text;
-- Of a step that runs and is to be skipped: why.
ALTER TABLE workflow_steps ADD COLUMN skip_reason text;
-- What of the job it was done to; of a step its name.
ALTER TABLE audit_records ADD COLUMN subject text NOT NULL DEFAULT '';
-- Records are listed newest first; their ids are in the order of their times.
CREATE INDEX audit_records_by_namespace ON audit_records (namespace, audit_id);
