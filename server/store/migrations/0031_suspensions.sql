-- Attempts that ended as SUSPENDED: they are made for nothing no more than those that count. Null: none.
ALTER TABLE job_runs ADD COLUMN suspensions integer;
