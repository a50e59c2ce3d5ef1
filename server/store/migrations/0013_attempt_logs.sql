-- What handlers log: the newest 64 KiB of each attempt, in chunks of some 8 KiB. Jobs that log nothing have no row.
CREATE TABLE attempt_logs (
  job_id         uuid NOT NULL,
  attempt        integer NOT NULL,
  -- Numbers of the chunk's records: those in between that are not in it were dropped by the worker.
  first_sequence bigint NOT NULL CHECK (first_sequence > 0),
  last_sequence  bigint NOT NULL CHECK (last_sequence >= first_sequence),
  -- One line of JSON a record.
  data           bytea NOT NULL CHECK (octet_length(data) <= 131072),
  PRIMARY KEY (job_id, attempt, first_sequence)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
