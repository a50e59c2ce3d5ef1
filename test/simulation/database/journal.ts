/** The journal: what happened to jobs and sessions, written by triggers in the transaction that did it. */
import type { SimPostgres } from './sim-postgres.ts';

export const journalSchema = `
CREATE TABLE muster.sim_journal (
  n          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT muster.muster_now(),
  kind       text NOT NULL,
  id         uuid NOT NULL,
  from_state smallint,
  to_state   smallint,
  attempt    integer,
  counted    integer,
  session_id uuid,
  until      timestamptz,
  cause      smallint,
  text       text,
  losses     smallint,
  charges    smallint
);

CREATE FUNCTION muster.sim_journal_run() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO muster.sim_journal (kind, id, to_state, attempt, counted, session_id, until)
    VALUES ('create', NEW.job_id, NEW.state, NEW.attempt, NEW.attempts_counted, NEW.session_id, NEW.due_time);
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO muster.sim_journal (kind, id, from_state, attempt, counted, session_id, until)
    VALUES ('remove', OLD.job_id, OLD.state, OLD.attempt, OLD.attempts_counted, OLD.session_id, OLD.due_time);
  ELSIF (OLD.state, OLD.attempt, OLD.session_id) IS DISTINCT FROM (NEW.state, NEW.attempt, NEW.session_id) THEN
    INSERT INTO muster.sim_journal (kind, id, from_state, to_state, attempt, counted, session_id, until, text, losses, charges)
    VALUES ('move', NEW.job_id, OLD.state, NEW.state, NEW.attempt, NEW.attempts_counted,
            coalesce(NEW.session_id, OLD.session_id), OLD.due_time, NEW.reason, NEW.losses, NEW.charges);
  ELSIF OLD.progress_sequence <> NEW.progress_sequence THEN
    INSERT INTO muster.sim_journal (kind, id, from_state, attempt, session_id, cause, text)
    VALUES ('progress', NEW.job_id, NEW.state, NEW.attempt, NEW.session_id, NEW.progress_sequence, NEW.progress_message);
  ELSE
    INSERT INTO muster.sim_journal (kind, id, from_state, attempt) VALUES ('touch', NEW.job_id, NEW.state, NEW.attempt);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE OR DELETE ON muster.job_runs
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_run();

CREATE FUNCTION muster.sim_journal_outcome() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, to_state, attempt, counted, session_id, text)
  VALUES ('end', NEW.job_id, NEW.state, NEW.attempt, NEW.attempts_counted, NEW.session_id,
          coalesce(convert_from(NEW.result, 'UTF8'), NEW.failure));
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT ON muster.job_outcomes
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_outcome();

CREATE FUNCTION muster.sim_journal_tampering() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, to_state) VALUES ('tampered', OLD.job_id, OLD.state);
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal_tampering AFTER UPDATE OR DELETE ON muster.job_outcomes
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_tampering();

CREATE FUNCTION muster.sim_journal_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, attempt, text)
  VALUES ('checkpoint', NEW.job_id, NEW.attempt, convert_from(NEW.data, 'UTF8'));
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE ON muster.job_checkpoints
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_checkpoint();

CREATE FUNCTION muster.sim_journal_session() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, from_state, to_state, attempt, until, cause, text)
  VALUES ('session', NEW.session_id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, NEW.state, NEW.beats, NEW.lease_until,
          NEW.close_cause, NEW.worker_name);
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE ON muster.sessions
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_session();
`;

/** Times are microseconds since 1970 on the database's clock; states are codes. */
export interface JournalRow {
  readonly n: number;
  readonly at: number;
  readonly kind: 'create' | 'move' | 'remove' | 'end' | 'progress' | 'touch' | 'checkpoint' | 'session' | 'tampered';
  /** Of the job, or of the session. */
  readonly id: string;
  readonly from: number | null;
  readonly to: number | null;
  /** Of a session: its beats. */
  readonly attempt: number | null;
  readonly counted: number | null;
  readonly sessionId: string | null;
  /** What was due before a move or an end, or until when the lease runs. */
  readonly until: number | null;
  /** Why the session was closed, or the sequence of a progress update. */
  readonly cause: number | null;
  /** Result, failure, message, checkpoint, reason. */
  readonly text: string | null;
  /** After a move. */
  readonly losses: number | null;
  readonly charges: number | null;
}

const readAll = {
  name: 'sim_read_journal',
  text: `SELECT n, at, kind, id, from_state, to_state, attempt, counted, session_id, until, cause, text,
                losses, charges
         FROM muster.sim_journal ORDER BY n`,
};

export async function readJournal(postgres: SimPostgres): Promise<JournalRow[]> {
  const rows = await postgres.run(readAll, []);
  return rows.map((row) => ({
    n: row.n,
    at: row.at,
    kind: row.kind,
    id: row.id,
    from: row.from_state,
    to: row.to_state,
    attempt: row.attempt,
    counted: row.counted,
    sessionId: row.session_id,
    until: row.until,
    cause: row.cause,
    text: row.text,
    losses: row.losses,
    charges: row.charges,
  }));
}

const readInputs = {
  name: 'sim_read_inputs',
  text: `SELECT job_id, convert_from(input, 'UTF8') AS input FROM muster.jobs ORDER BY job_id`,
};

/** The input of each job, by job. */
export async function readJobInputs(postgres: SimPostgres): Promise<Map<string, string>> {
  return new Map((await postgres.run(readInputs, [])).map((row) => [row.job_id, row.input]));
}
