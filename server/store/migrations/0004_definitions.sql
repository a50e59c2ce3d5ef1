-- Definitions that take no new jobs. A row of its own: versions never change, and this is true of all of them.
CREATE TABLE archived_definitions (
  namespace    text NOT NULL,
  name         text NOT NULL,
  archive_time timestamptz NOT NULL,
  PRIMARY KEY (namespace, name)
);

-- From a definition to its lanes. There are few lanes, so it is made at once.
CREATE INDEX lanes_by_definition ON lanes (namespace, definition, definition_version);

-- The job's definition has a schema for results: one counts only once it was checked. A column with a constant default is
-- added at once, whatever the size of the table; a replica of an older release goes on without the check.
ALTER TABLE job_runs ADD COLUMN check_result boolean NOT NULL DEFAULT false;
