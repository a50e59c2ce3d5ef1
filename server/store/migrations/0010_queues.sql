-- Queues as things of their own: paused, described, deleted.

-- Why nothing is assigned from a lane, as bits: 1 its queue is paused, 2 a circuit breaker is open. A column with a
-- constant default is added at once; a replica of an older release goes on without looking at it.
ALTER TABLE lanes ADD COLUMN held_back smallint NOT NULL DEFAULT 0;

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
