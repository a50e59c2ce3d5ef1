-- kind: also 0 PAUSE_CHILDREN, for a workflow or a batch. NOT VALID: all rows fulfil the older constraint.
ALTER TABLE job_inbox
  DROP CONSTRAINT job_inbox_kind_check,
  ADD CONSTRAINT job_inbox_kind_check CHECK (kind BETWEEN 0 AND 11) NOT VALID;
