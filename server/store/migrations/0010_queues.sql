-- Queues as things of their own: paused, described, deleted.

-- Why nothing is assigned from a lane, as bits: 1 its queue is paused, 2 a circuit breaker is open. A column with a
-- constant default is added at once; a replica of an older release goes on without looking at it.
ALTER TABLE lanes ADD COLUMN held_back smallint NOT NULL DEFAULT 0;
-- From a queue to its lanes. One text, which has no part that another look-up could take the index for; names have no slash.
CREATE INDEX lanes_by_queue ON lanes ((namespace || '/' || queue));

CREATE TABLE queues (
  namespace    text NOT NULL,
  name         text NOT NULL,
  -- Raised by each change; a part of the etag.
  revision     integer NOT NULL DEFAULT 1,
  paused       boolean NOT NULL DEFAULT false,
  pause_reason text NOT NULL DEFAULT '',
  description  text NOT NULL DEFAULT '',
  create_time  timestamptz NOT NULL,
  -- Deleted, while it still has lanes: the next job that is submitted to one of them makes the queue anew.
  delete_time  timestamptz,
  PRIMARY KEY (namespace, name),
  CHECK (paused OR pause_reason = ''),
  CHECK (NOT paused OR delete_time IS NULL)
);
INSERT INTO queues (namespace, name, create_time) SELECT DISTINCT namespace, queue, muster_now() FROM lanes;

-- How many open jobs each lane has in each state; what a session holds (states 5, 6 and 8) counts as 5. Every statement
-- that makes, moves or ends jobs adds what it changed to the second table, where nobody waits for anybody; from there it
-- is folded into the first one. Both together are always exact.
CREATE TABLE lane_counts (
  lane_id integer  NOT NULL,
  state   smallint NOT NULL CHECK (state IN (1, 2, 3, 4, 5, 7)),
  jobs    bigint   NOT NULL,
  PRIMARY KEY (lane_id, state)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
-- Without an index: it holds what has not been folded yet, a second's worth, and is read whole.
CREATE TABLE lane_count_changes (
  lane_id integer  NOT NULL,
  state   smallint NOT NULL,
  jobs    integer  NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
INSERT INTO lane_counts (lane_id, state, jobs)
SELECT lane_id, CASE WHEN state IN (6, 8) THEN 5 ELSE state END AS counted_as, count(*) FROM job_runs GROUP BY lane_id, counted_as;
