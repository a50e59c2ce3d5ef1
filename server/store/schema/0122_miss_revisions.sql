-- The revision of the job that shows its miss. NULL: no miss, or one from before this column.
ALTER TABLE soft_deadlines ADD COLUMN miss_revision integer;
