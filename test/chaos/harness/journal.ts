/**
 * The journal: triggers, which only this test installs, record every change of jobs and sessions in its own
 * transaction. Rolled-back changes leave no record, and the rows of one job are in the order of their commits, since
 * each was written under the job's row lock.
 */
import type { Pool } from 'pg';

export const journalSchema = `
CREATE TABLE muster.chaos_journal (
  n          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  kind       text NOT NULL,
  id         uuid NOT NULL,
  from_state smallint,
  to_state   smallint,
  attempt    integer,
  counted    integer,
  session_id uuid,
  until      timestamptz,
  cause      smallint,
  text       text
);

CREATE FUNCTION muster.chaos_run() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO muster.chaos_journal (kind, id, to_state, attempt, counted, session_id, text)
    VALUES ('create', NEW.job_id, NEW.state, NEW.attempt, NEW.attempt_count, NEW.session_id,
            (SELECT namespace FROM muster.lanes WHERE lane_id = NEW.lane_id));
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO muster.chaos_journal (kind, id, from_state, attempt, counted, session_id, until)
    VALUES ('remove', OLD.job_id, OLD.state, OLD.attempt, OLD.attempt_count, OLD.session_id, OLD.due_time);
  ELSIF (OLD.state, OLD.attempt, OLD.session_id) IS DISTINCT FROM (NEW.state, NEW.attempt, NEW.session_id) THEN
    INSERT INTO muster.chaos_journal (kind, id, from_state, to_state, attempt, counted, session_id, until, text)
    VALUES ('move', NEW.job_id, OLD.state, NEW.state, NEW.attempt, NEW.attempt_count, coalesce(NEW.session_id, OLD.session_id),
            OLD.due_time, NEW.reason);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_journal AFTER INSERT OR UPDATE OR DELETE ON muster.job_runs FOR EACH ROW EXECUTE FUNCTION muster.chaos_run();

CREATE FUNCTION muster.chaos_attempt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.chaos_journal (kind, id, attempt, session_id, cause, counted)
  VALUES ('attempt', NEW.job_id, NEW.attempt, NEW.session_id, NEW.outcome, NEW.counted::int);
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_journal AFTER INSERT ON muster.job_attempts FOR EACH ROW EXECUTE FUNCTION muster.chaos_attempt();

CREATE FUNCTION muster.chaos_outcome() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO muster.chaos_journal (kind, id, to_state, attempt, counted, session_id, text)
    VALUES ('end', NEW.job_id, NEW.state, NEW.attempt, NEW.attempt_count, NEW.session_id,
            coalesce(convert_from(NEW.result, 'UTF8'), NEW.failure));
  ELSE
    INSERT INTO muster.chaos_journal (kind, id, to_state) VALUES ('tampered', OLD.job_id, OLD.state);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_journal AFTER INSERT OR UPDATE OR DELETE ON muster.job_outcomes
FOR EACH ROW EXECUTE FUNCTION muster.chaos_outcome();

CREATE FUNCTION muster.chaos_session() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.chaos_journal (kind, id, from_state, to_state, until, cause, text)
  VALUES ('session', NEW.session_id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, NEW.state, NEW.lease_until, NEW.close_cause,
          NEW.worker_name);
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_journal AFTER INSERT OR UPDATE ON muster.sessions FOR EACH ROW EXECUTE FUNCTION muster.chaos_session();
`;

/** Times are microseconds since 1970 on the database's clock; states are codes. */
export interface JournalRow {
  readonly n: number;
  readonly at: number;
  readonly kind: 'create' | 'move' | 'remove' | 'attempt' | 'end' | 'tampered' | 'session';
  /** Id of the job or of the session. */
  readonly id: string;
  readonly from: number | null;
  readonly to: number | null;
  readonly attempt: number | null;
  readonly counted: number | null;
  readonly sessionId: string | null;
  /** The due time before a move or an end, or the end of the session's lease. */
  readonly until: number | null;
  /** Outcome of an attempt, or reason why a session was closed. */
  readonly cause: number | null;
  /** Result or failure, the namespace of a new job, the reason of a move, the name of a session's worker. */
  readonly text: string | null;
}

const read = `
SELECT n::float8, (extract(epoch FROM at) * 1000000)::float8 AS at, kind, id, from_state AS "from", to_state AS "to", attempt,
       counted, session_id AS "sessionId", (extract(epoch FROM until) * 1000000)::float8 AS until, cause, text
FROM muster.chaos_journal ORDER BY n`;

export async function readJournal(database: Pool): Promise<JournalRow[]> {
  return (await database.query<JournalRow>(read)).rows;
}
