-- Circuit breakers, as they are now: one for each name that a failure has been counted at.
CREATE TABLE circuit_breakers (
  namespace        text NOT NULL,
  name             text NOT NULL,
  -- 1 CLOSED, 2 OPEN, 3 HALF_OPEN
  state            smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 3),
  -- JSON: times in microseconds and how many failures were counted then, of the window that ended with the last one.
  tallies          text NOT NULL DEFAULT '[]',
  window_ms        bigint NOT NULL DEFAULT 0,
  open_duration_ms bigint NOT NULL DEFAULT 0,
  open_time        timestamptz,
  probe_time       timestamptz,
  probe_job_id     uuid,
  probe_attempt    integer,
  PRIMARY KEY (namespace, name),
  CHECK ((state = 2) = (probe_time IS NOT NULL)),
  CHECK ((state = 3) = (probe_job_id IS NOT NULL)),
  CHECK ((probe_job_id IS NULL) = (probe_attempt IS NULL))
);
CREATE INDEX circuit_breakers_not_closed ON circuit_breakers (namespace, name) WHERE state <> 1;

-- Name of the breaker that may hold a lane's jobs back; NULL for those of definitions without one, and for clean-ups.
ALTER TABLE lanes ADD COLUMN breaker text;
CREATE INDEX lanes_by_breaker ON lanes (namespace, breaker) WHERE breaker IS NOT NULL;

-- What retry budgets are reckoned with: one row for each definition that has one and each minute in which something happened.
CREATE TABLE retry_budgets (
  namespace      text NOT NULL,
  definition     text NOT NULL,
  -- Since 1970.
  minute         bigint NOT NULL,
  -- Jobs that were submitted to start in it.
  first_attempts integer NOT NULL DEFAULT 0,
  -- Retries that began in it.
  retries        integer NOT NULL DEFAULT 0,
  -- Retries that were put off until then.
  waiting        integer NOT NULL DEFAULT 0,
  PRIMARY KEY (namespace, definition, minute)
) WITH (fillfactor = 50);
