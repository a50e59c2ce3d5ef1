-- What the conditions of triggers are about, a row for each of their causes.
CREATE TABLE trigger_sources (
  trigger_id uuid NOT NULL,
  -- Of the cause in the condition.
  number     smallint NOT NULL,
  namespace  text NOT NULL,
  -- 1 SIGNAL, 2 ASSET, 3 JOB, 4 SCHEDULE
  source     smallint NOT NULL CHECK (source BETWEEN 1 AND 4),
  -- Of the signal, the asset, the job's definition, or the schedule.
  name       text NOT NULL,
  -- The end states of a job that count.
  states     smallint[],
  -- The change that made the condition: of an older one, causes do not count.
  edition    bigint NOT NULL,
  PRIMARY KEY (trigger_id, number),
  CHECK ((source = 3) = (states IS NOT NULL))
);
CREATE INDEX trigger_sources_by_name ON trigger_sources (source, namespace, name);

-- What has happened for triggers: written by the transaction that makes it happen. A row without a key is new; one with a
-- key waits for others, until it leads to a job or expires.
CREATE TABLE trigger_causes (
  row_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  trigger_id   uuid NOT NULL,
  number       smallint NOT NULL,
  edition      bigint NOT NULL,
  cause_time   timestamptz NOT NULL,
  -- The job that ended, or that published the asset.
  job_id       uuid,
  -- The end state of the job.
  state        smallint,
  -- Of the asset.
  version      bigint,
  -- Of the schedule's run.
  nominal_time timestamptz,
  -- Of the signal.
  signal_key   text,
  payload      bytea,
  content_type text,
  key          text,
  -- Causes that the row stands for.
  count        bigint NOT NULL DEFAULT 1 CHECK (count > 0),
  expire_time  timestamptz,
  CHECK ((key IS NULL) = (expire_time IS NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX trigger_causes_new ON trigger_causes (trigger_id, row_id) WHERE key IS NULL;
CREATE UNIQUE INDEX trigger_causes_held ON trigger_causes (trigger_id, key, number) WHERE key IS NOT NULL;
