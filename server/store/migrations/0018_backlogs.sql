-- What may wait in a queue before submissions to it are refused. 0 and NULL: any number, and for any time.
ALTER TABLE queues ADD COLUMN max_backlog integer NOT NULL DEFAULT 0 CHECK (max_backlog BETWEEN 0 AND 1000000000);
ALTER TABLE queues ADD COLUMN max_backlog_age_ms bigint CHECK (max_backlog_age_ms BETWEEN 1000 AND 2592000000);
-- Each replica reads them every second.
CREATE INDEX queues_with_bounds ON queues (namespace, name) WHERE max_backlog > 0 OR max_backlog_age_ms IS NOT NULL;
