-- What was kept long enough goes.

-- Rows lie in the order in which jobs ended, so a summary of each MiB finds the ends of one time; a new row costs it
-- next to nothing.
CREATE INDEX job_outcomes_ended ON job_outcomes USING brin (end_time) WITH (pages_per_range = 128);

-- A definition that is kept as long as any follows its namespace: no row.
DELETE FROM retentions WHERE retention_ms = 604800000;

-- Of the request that opened it: a repeated request id with another body is refused.
ALTER TABLE sessions ADD COLUMN body_hash bytea;
