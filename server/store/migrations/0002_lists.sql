-- Lists of what ended without success: the hot path writes state 9 only, so this costs it nothing. Days that are made
-- later copy it (LIKE ... INCLUDING ALL); one that an older replica is making meanwhile gets it when it is attached.
CREATE INDEX job_outcomes_unsuccessful ON job_outcomes (state, job_id) WHERE state <> 9;

-- What this deployment signs with, the same on each of its replicas. A random UUID has 122 random bits.
CREATE TABLE deployment_keys (
  purpose text PRIMARY KEY,
  key     bytea NOT NULL
);
INSERT INTO deployment_keys (purpose, key)
VALUES ('page_tokens', decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
