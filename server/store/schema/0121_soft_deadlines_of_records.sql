-- By when the job should have ended. What came of it is in soft_deadlines, where nobody has to look for other jobs. NULL: none.
ALTER TABLE jobs ADD COLUMN soft_deadline timestamptz;
