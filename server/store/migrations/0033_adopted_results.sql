-- Jobs whose results steps of open retries read although their own workflows have ended, by the step that they are of.
CREATE INDEX workflow_steps_adopted ON workflow_steps (adopted_from, step) WHERE adopted_from IS NOT NULL;
