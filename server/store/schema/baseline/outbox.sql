-- Job events to publish. The statement that creates, moves or ends jobs writes one row; the relay deletes it once the
-- bus has the events. Jobs with the same change form a group. A group has the same index in each array.
CREATE TABLE outbox (
  row_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_time      timestamptz NOT NULL,
  -- Group by group, sixteen bytes each.
  job_ids         bytea NOT NULL,
  group_sizes     integer[] NOT NULL,
  lane_ids        integer[] NOT NULL,
  states          smallint[] NOT NULL,
  -- New jobs: revision 1, attempt 0, no previous state.
  revisions       integer[] NOT NULL,
  attempts        integer[] NOT NULL,
  previous_states smallint[] NOT NULL,
  -- JSON, or NULL.
  failures        text[] NOT NULL
) WITH (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000,
        toast.autovacuum_vacuum_scale_factor = 0.0, toast.autovacuum_vacuum_threshold = 20000);
-- A row lives for a moment: compressing its ids or sampling its values costs more than it gains.
ALTER TABLE outbox
  ALTER COLUMN job_ids SET STORAGE EXTERNAL,
  ALTER COLUMN job_ids SET STATISTICS 0, ALTER COLUMN group_sizes SET STATISTICS 0, ALTER COLUMN lane_ids SET STATISTICS 0,
  ALTER COLUMN states SET STATISTICS 0, ALTER COLUMN revisions SET STATISTICS 0, ALTER COLUMN attempts SET STATISTICS 0,
  ALTER COLUMN previous_states SET STATISTICS 0, ALTER COLUMN failures SET STATISTICS 0;

-- One row: the relay that publishes from the outbox, and until when.
CREATE TABLE outbox_turns (
  turn       integer PRIMARY KEY CHECK (turn = 1),
  relay_id   uuid,
  turn_until timestamptz NOT NULL
) WITH (fillfactor = 10);
INSERT INTO outbox_turns (turn, turn_until) VALUES (1, '-infinity');
