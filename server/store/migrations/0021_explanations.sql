-- What an explanation tells of waits: since when a job or a queue is paused, and how much of a lane was started lately.

-- NULL: it is not paused, or a replica of an older release has paused it.
ALTER TABLE job_runs ADD COLUMN pause_time timestamptz;
ALTER TABLE queues ADD COLUMN pause_time timestamptz;

-- In the rows of state 5: jobs that were assigned in a minute, counted since 1970, and in the one before it. A replica of an
-- older release counts none.
ALTER TABLE lane_counts
  ADD COLUMN minute        bigint  NOT NULL DEFAULT 0,
  ADD COLUMN starts        integer NOT NULL DEFAULT 0,
  ADD COLUMN starts_before integer NOT NULL DEFAULT 0;
