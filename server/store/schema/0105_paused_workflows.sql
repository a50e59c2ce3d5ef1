-- PAUSED. paused_from: 7 WAITING, a workflow or a batch that had begun, and is WAITING again when it is resumed.
-- paused_with_parent: the job is resumed with its workflow or batch. Both NULL: neither.
ALTER TABLE job_runs
  ADD COLUMN paused_from smallint CHECK (paused_from = 7),
  ADD COLUMN paused_with_parent boolean;
