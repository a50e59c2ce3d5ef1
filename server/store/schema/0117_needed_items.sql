-- JSON: of the fan-outs that a step needs and counts by their items, how many items have ended in which way, and how many
-- more needs they are than steps. The other counts are those of the other steps that it needs. NULL: none.
ALTER TABLE workflow_steps ADD COLUMN needed_items text;
