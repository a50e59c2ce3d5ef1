-- A worker counts on the lease that its session was opened with, whatever the replica says that takes its next beat.
-- Null: an older release opened the session.
ALTER TABLE sessions ADD COLUMN lease_ms bigint;
