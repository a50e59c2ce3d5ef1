-- concurrent
-- Workflows and batches whose jobs must be paused or resumed. Nearly empty.
DROP INDEX CONCURRENTLY IF EXISTS job_inbox_pauses;
CREATE INDEX CONCURRENTLY job_inbox_pauses ON job_inbox (row_id) WHERE kind = 0;
