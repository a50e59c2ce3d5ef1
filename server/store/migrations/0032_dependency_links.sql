-- What jobs depended on, for their traces: edges are gone once they are met.

-- JSON, an array of {job}, or {job, step} for a step of that workflow; of an asset the job that published it. NULL: nothing.
ALTER TABLE jobs ADD COLUMN depends_on jsonb;
