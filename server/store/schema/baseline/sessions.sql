CREATE TABLE sessions (
  session_id   uuid PRIMARY KEY,
  namespace    text NOT NULL,
  worker_name  text NOT NULL,
  -- 1 OPEN, 2 CLOSING, 3 CLOSED
  state        smallint NOT NULL CHECK (state BETWEEN 1 AND 3),
  -- 1 lapse, 2 close, 3 mass lapse. It decides what the session's attempts are charged, also when another sweeper
  -- finishes the closing.
  close_cause  smallint CHECK (close_cause BETWEEN 1 AND 3),
  lease_until  timestamptz NOT NULL,
  beat_time    timestamptz NOT NULL,
  open_time    timestamptz NOT NULL,
  close_time   timestamptz,
  -- Raised by each heartbeat and published as a ping. The echo is the highest ping that the worker returned.
  beats        bigint NOT NULL DEFAULT 0,
  ping_echo    bigint NOT NULL DEFAULT 0,
  -- What the worker's last heartbeat said.
  draining     boolean NOT NULL DEFAULT false,
  slots        integer NOT NULL,
  handlers     text NOT NULL,
  labels       text NOT NULL,
  resources    text NOT NULL,
  sdk          text NOT NULL,
  request_id   uuid,
  -- Hash of the request that opened the session: the same request id with another body is refused.
  body_hash    bytea,
  -- An operator drains the session. Once this is committed, no statement assigns to it.
  drain_wanted boolean NOT NULL DEFAULT false,
  CHECK ((state = 1) = (close_cause IS NULL)),
  CHECK ((state = 3) = (close_time IS NOT NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX sessions_not_closed ON sessions (namespace, session_id) WHERE state <> 3;
CREATE UNIQUE INDEX sessions_request_id ON sessions (namespace, request_id) WHERE request_id IS NOT NULL;
