-- Definitions that take no new jobs. A row of its own: versions never change, and this is true of all of them.
CREATE TABLE archived_definitions (
  namespace    text NOT NULL,
  name         text NOT NULL,
  archive_time timestamptz NOT NULL,
  PRIMARY KEY (namespace, name)
);

-- From a definition to its lanes. There are few lanes, so it is made at once.
CREATE INDEX lanes_by_definition ON lanes (namespace, definition, definition_version);
