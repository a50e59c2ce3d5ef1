-- Keys that this deployment signs with; all replicas use the same. A random UUID has 122 random bits.
CREATE TABLE deployment_keys (
  purpose text PRIMARY KEY,
  key     bytea NOT NULL
);
INSERT INTO deployment_keys (purpose, key)
VALUES ('page_tokens', decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

-- Retention of ended jobs where it is not 7 days. An empty definition stands for the whole namespace.
CREATE TABLE retentions (
  namespace    text NOT NULL,
  definition   text NOT NULL,
  retention_ms bigint NOT NULL CHECK (retention_ms >= 0),
  PRIMARY KEY (namespace, definition)
);

-- Who did what that cannot be undone, and why. Never deleted.
CREATE TABLE audit_records (
  audit_id    uuid PRIMARY KEY,
  record_time timestamptz NOT NULL,
  action      text NOT NULL,
  namespace   text NOT NULL,
  job_id      uuid NOT NULL,
  reason      text NOT NULL,
  -- Empty while callers are not authenticated.
  caller      text NOT NULL DEFAULT '',
  -- The part of the job that was changed, such as the name of a step.
  subject     text NOT NULL DEFAULT ''
);
CREATE INDEX audit_records_by_job ON audit_records (job_id);
-- Lists are newest first: ids are ordered by time.
CREATE INDEX audit_records_by_namespace ON audit_records (namespace, audit_id);
