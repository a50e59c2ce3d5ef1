-- The present state of each circuit breaker that has counted a failure.
CREATE TABLE circuit_breakers (
  namespace        text NOT NULL,
  name             text NOT NULL,
  -- 1 CLOSED, 2 OPEN, 3 HALF_OPEN
  state            smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 3),
  -- JSON: failures counted per time in microseconds, for the window that ended with the last failure.
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

-- Counts for retry budgets: a row per definition with a budget and per minute in which anything was counted.
CREATE TABLE retry_budgets (
  namespace      text NOT NULL,
  definition     text NOT NULL,
  -- Minutes since 1970.
  minute         bigint NOT NULL,
  -- Jobs submitted to start in this minute.
  first_attempts integer NOT NULL DEFAULT 0,
  -- Retries that began in it.
  retries        integer NOT NULL DEFAULT 0,
  -- Retries that were delayed until it.
  waiting        integer NOT NULL DEFAULT 0,
  PRIMARY KEY (namespace, definition, minute)
) WITH (fillfactor = 50);
