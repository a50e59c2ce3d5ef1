-- A row for each batch. It is kept as long as its job. A transaction that adds members locks the row.
CREATE TABLE batches (
  job_id                  uuid PRIMARY KEY,
  members                 integer NOT NULL DEFAULT 0 CHECK (members >= 0),
  seal_time               timestamptz,
  -- 0 no, 1 FAILED, 2 CANCELLED: it accepts no more members, and its open members are cancelled.
  stop_reason                  smallint NOT NULL DEFAULT 0 CHECK (stop_reason BETWEEN 0 AND 2),
  -- Members that may fail before the rest is cancelled. NULL: all members run, and none may fail; -1: any number may
  -- fail.
  max_failed              bigint CHECK (max_failed >= -1),
  description             text NOT NULL,
  -- JSON: the callback's submission without its input. NULL: none.
  callback                text,
  callback_input          bytea,
  callback_content_type   text,
  callback_input_metadata text,
  callback_job_id         uuid,
  callback_error        text,
  -- The batch that this one retries. NULL: it is no retry, and the columns below are NULL.
  retry_of                uuid,
  -- Members of that batch, and those of them to retry.
  retry_members           integer,
  retry_failed            integer,
  -- The next of its members to process. It is raised in the transaction that stores the results of those before it.
  retry_next_item         integer,
  -- Members that were retried before.
  retried_before_count          integer,
  -- JSON: members that could not be retried, counted by reason.
  skipped_by_reason             text,
  -- When retry_next_item was last raised.
  retry_time              timestamptz,
  -- Why the next member must wait.
  retry_wait_message         text,
  CONSTRAINT batches_retry_check CHECK (
    retry_of IS NULL
    OR (retry_next_item BETWEEN 0 AND retry_members AND retry_failed BETWEEN 1 AND retry_members
        AND retried_before_count >= 0 AND skipped_by_reason IS NOT NULL AND retry_time IS NOT NULL)
  )
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
-- A batch can be retried once. A retry that was stopped before it was sealed does not count.
CREATE UNIQUE INDEX batches_by_retry ON batches (retry_of)
  WHERE retry_of IS NOT NULL AND (seal_time IS NOT NULL OR stop_reason = 0);
-- Retries whose members are not all submitted yet.
CREATE INDEX batches_filling ON batches (retry_of) WHERE retry_of IS NOT NULL AND seal_time IS NULL AND stop_reason = 0;

-- Ends of members. Its own table, so that counting does not wait for a transaction that adds members.
CREATE TABLE batch_counts (
  job_id    uuid PRIMARY KEY,
  succeeded integer NOT NULL CHECK (succeeded >= 0),
  failed    integer NOT NULL CHECK (failed >= 0),
  cancelled integer NOT NULL CHECK (cancelled >= 0),
  expired   integer NOT NULL CHECK (expired >= 0),
  skipped   integer NOT NULL CHECK (skipped >= 0),
  -- JSON: recent ends, for the rate.
  rate      text NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
