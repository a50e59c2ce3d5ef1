-- Retries of batches: new batches that get as members new jobs of another one's failed members, page by page.

ALTER TABLE batches
  -- The batch that is retried. NULL: it retries none, as for all that follows.
  ADD COLUMN retry_of        uuid,
  -- That one has, and those of them that are to be retried.
  ADD COLUMN retry_members   integer,
  ADD COLUMN retry_failed    integer,
  -- Number of the next of them to look at. It goes up in the transaction that stores what became of those before it.
  ADD COLUMN retry_next_item integer,
  -- Those that were retried before.
  ADD COLUMN retried_before  integer,
  -- JSON: how many could not be retried, by reason.
  ADD COLUMN not_retried     text,
  -- When the number last went up.
  ADD COLUMN retry_time      timestamptz,
  -- What the next member waits for.
  ADD COLUMN retry_waits_for text;
-- Rows that are there fit: they need no looking at.
ALTER TABLE batches ADD CONSTRAINT batches_retry_check CHECK (
  retry_of IS NULL
  OR (retry_next_item BETWEEN 0 AND retry_members AND retry_failed BETWEEN 1 AND retry_members
      AND retried_before >= 0 AND not_retried IS NOT NULL AND retry_time IS NOT NULL)
) NOT VALID;
-- A batch is retried once: by one that is being filled, or is full. One that was stopped before is none.
CREATE UNIQUE INDEX batches_by_retry ON batches (retry_of)
  WHERE retry_of IS NOT NULL AND (seal_time IS NOT NULL OR doomed = 0);
-- Those that are being filled.
CREATE INDEX batches_filling ON batches (retry_of) WHERE retry_of IS NOT NULL AND seal_time IS NULL AND doomed = 0;
