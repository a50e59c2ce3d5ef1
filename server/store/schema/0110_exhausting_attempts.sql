-- After this attempt the job was paused, without a further one: those after it are counted anew. NULL: it was not.
ALTER TABLE job_attempts ADD COLUMN exhausted boolean;
