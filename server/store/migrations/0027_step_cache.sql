-- Steps of workflows that take the result of an earlier job in place of a job of their own.

-- Of a step that runs: the key under which its job's result is kept for others once that has succeeded.
ALTER TABLE workflow_steps ADD COLUMN cache_key bytea;
-- Of a step that took a result: when. Its job is the earlier one, and is no child of the workflow's.
ALTER TABLE workflow_steps ADD COLUMN cache_time timestamptz;
-- Jobs whose results open workflows read although they are not their parents'.
CREATE INDEX workflow_steps_cached ON workflow_steps (child_job_id) WHERE cache_time IS NOT NULL;

-- Jobs whose results may be taken. A row says no more than that there was such a job: it may be gone.
CREATE TABLE step_cache (
  namespace  text NOT NULL,
  -- SHA-256 of the namespace, the definition, its version, and the input or what stands for it.
  key_hash   bytea NOT NULL,
  job_id     uuid NOT NULL,
  until_time timestamptz NOT NULL,
  PRIMARY KEY (namespace, key_hash)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX step_cache_by_job ON step_cache (job_id);
