-- 4: the process with the worker's handlers died, and another one of its processes closes the session.
ALTER TABLE sessions
  DROP CONSTRAINT sessions_close_cause_check,
  ADD CONSTRAINT sessions_close_cause_check CHECK (close_cause BETWEEN 1 AND 4);
