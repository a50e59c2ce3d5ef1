-- Of a run of a trigger: the key of its causes, and the input of its job, until the job is submitted.
ALTER TABLE schedule_runs ADD COLUMN key text, ADD COLUMN input bytea;
