-- A trigger is a schedule without times: it starts its runs when a condition is met.
ALTER TABLE schedules
  -- 1 SCHEDULE, 2 TRIGGER
  ADD COLUMN kind smallint NOT NULL DEFAULT 1 CHECK (kind BETWEEN 1 AND 2),
  -- JSON: the condition of a trigger, and for how long a cause is held.
  ADD COLUMN condition text,
  -- Number of times that the condition was met.
  ADD COLUMN generation bigint NOT NULL DEFAULT 0,
  ADD CHECK ((kind = 2) = (condition IS NOT NULL));
-- A schedule and a trigger may have the same name.
CREATE UNIQUE INDEX schedules_by_kind ON schedules (namespace, kind, name);
DROP INDEX schedules_by_name;
