-- How far a cancel has come, and the job that cleans up after it. NULL for every job that nobody cancelled.
ALTER TABLE job_runs ADD COLUMN cancel_time timestamptz;
ALTER TABLE job_outcomes
  -- As CancelStage in the contract.
  ADD COLUMN cancel_stage   smallint,
  ADD COLUMN cancel_time    timestamptz,
  ADD COLUMN cancel_reason  text,
  ADD COLUMN cleanup_job_id uuid;

-- Clean-ups wait in lanes of their own: another handler runs them.
ALTER TABLE lanes ADD COLUMN cleanup boolean NOT NULL DEFAULT false;
ALTER TABLE lanes ADD CONSTRAINT lanes_key UNIQUE (namespace, queue, definition, definition_version, demands, suspect, cleanup);
ALTER TABLE lanes DROP CONSTRAINT lanes_namespace_queue_definition_definition_version_demands_key;
-- Made anew, so that it is the newer one: where two indexes cost the same, as on a table that is known to be empty, that
-- is the one taken, before and after the table has grown.
DROP INDEX lanes_by_definition;
CREATE INDEX lanes_by_definition ON lanes (namespace, definition, definition_version);
