-- Batches: jobs whose children are their members.

-- 7: it was sealed.
ALTER TABLE workflow_news DROP CONSTRAINT workflow_news_kind_check;
ALTER TABLE workflow_news ADD CONSTRAINT workflow_news_kind_check CHECK (kind BETWEEN 1 AND 7);

-- What a batch is, and how many members it has; kept as long as its job. Whoever adds members holds the row's lock.
CREATE TABLE batches (
  job_id                  uuid PRIMARY KEY,
  members                 integer NOT NULL DEFAULT 0 CHECK (members >= 0),
  seal_time               timestamptz,
  -- 0 no, 1 FAILED, 2 CANCELLED: it takes no more, and what is open is cancelled.
  doomed                  smallint NOT NULL DEFAULT 0 CHECK (doomed BETWEEN 0 AND 2),
  -- So many may fail: NULL for none, but all run; -1 for any.
  max_failed              bigint CHECK (max_failed >= -1),
  description             text NOT NULL,
  -- JSON: the callback's submission without its input. NULL: none.
  callback                text,
  callback_input          bytea,
  callback_content_type   text,
  callback_input_metadata text,
  callback_job_id         uuid,
  callback_problem        text
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);

-- How the members have ended: rows of their own, so that counting does not wait for who adds members.
CREATE TABLE batch_counts (
  job_id    uuid PRIMARY KEY,
  succeeded integer NOT NULL CHECK (succeeded >= 0),
  failed    integer NOT NULL CHECK (failed >= 0),
  cancelled integer NOT NULL CHECK (cancelled >= 0),
  expired   integer NOT NULL CHECK (expired >= 0),
  skipped   integer NOT NULL CHECK (skipped >= 0),
  -- JSON: what ended lately.
  rate      text NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
