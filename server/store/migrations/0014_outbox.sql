-- What is to be told of jobs: a row for each statement that makes, moves or ends some, written by that statement and deleted
-- once the bus has its events. Jobs of the same change are a group; a group is the same place in each array.
CREATE TABLE outbox (
  row_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_time      timestamptz NOT NULL,
  -- Group by group, sixteen bytes each.
  job_ids         bytea NOT NULL,
  group_sizes     integer[] NOT NULL,
  lane_ids        integer[] NOT NULL,
  states          smallint[] NOT NULL,
  -- Of new jobs: revision 1, no attempt, no state before.
  revisions       integer[] NOT NULL,
  attempts        integer[] NOT NULL,
  previous_states smallint[] NOT NULL,
  -- JSON; NULL where there is none.
  failures        text[] NOT NULL
) WITH (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000,
        toast.autovacuum_vacuum_scale_factor = 0.0, toast.autovacuum_vacuum_threshold = 20000);
-- Whose turn it is to publish what is in the outbox, and until when: one row.
CREATE TABLE outbox_turns (
  turn       integer PRIMARY KEY CHECK (turn = 1),
  relay_id   uuid,
  turn_until timestamptz NOT NULL
) WITH (fillfactor = 10);
INSERT INTO outbox_turns (turn, turn_until) VALUES (1, '-infinity');
-- A row lives for a moment: to compress its ids, or to look for common values in it, costs more than it gives.
ALTER TABLE outbox
  ALTER COLUMN job_ids SET STORAGE EXTERNAL,
  ALTER COLUMN job_ids SET STATISTICS 0, ALTER COLUMN group_sizes SET STATISTICS 0, ALTER COLUMN lane_ids SET STATISTICS 0,
  ALTER COLUMN states SET STATISTICS 0, ALTER COLUMN revisions SET STATISTICS 0, ALTER COLUMN attempts SET STATISTICS 0,
  ALTER COLUMN previous_states SET STATISTICS 0, ALTER COLUMN failures SET STATISTICS 0;
