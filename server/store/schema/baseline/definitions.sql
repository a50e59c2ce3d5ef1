-- A version never changes.
CREATE TABLE job_definitions (
  namespace    text NOT NULL,
  name         text NOT NULL,
  version      integer NOT NULL CHECK (version > 0),
  content_hash bytea NOT NULL,
  body         text NOT NULL,
  create_time  timestamptz NOT NULL,
  PRIMARY KEY (namespace, name, version)
);

-- Definitions that accept no new jobs. It has its own row because it applies to all versions.
CREATE TABLE archived_definitions (
  namespace    text NOT NULL,
  name         text NOT NULL,
  archive_time timestamptz NOT NULL,
  PRIMARY KEY (namespace, name)
);

-- Limits of the newest version of each definition that has any. They apply to the jobs of all versions.
CREATE TABLE definition_limits (
  namespace  text NOT NULL,
  definition text NOT NULL,
  -- JSON: concurrency, rates and their cost, limits per key.
  limits     text NOT NULL,
  PRIMARY KEY (namespace, definition)
);
