/** The journal: changes of jobs and sessions, written by triggers in the transactions that made them. */
import type { Statement } from '../../../server/store/driver/database.ts';
import type { SimPostgres } from '../../../server/tools/simulate/sim-postgres.ts';
import type { FlowKind } from './flow-journal.ts';
import type { LinkKind } from './link-journal.ts';

export const journalSchema = `
CREATE TABLE muster.sim_journal (
  n          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT current_setting('muster.real')::timestamptz,
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
  charges    smallint,
  next_due   timestamptz,
  other_id   uuid,
  demands    text,
  lane       integer,
  stop_until timestamptz,
  stop_to    smallint
);

CREATE FUNCTION muster.sim_journal_record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO muster.sim_journal (kind, id, cause, until, text)
    VALUES ('record', NEW.job_id, NEW.priority, coalesce(NEW.run_time, current_setting('muster.real')::timestamptz), json_build_object(
      'definition', (SELECT definition FROM muster.lanes WHERE lane_id = NEW.lane_id), 'input', convert_from(NEW.input, 'UTF8'),
      'queue', (SELECT queue FROM muster.lanes WHERE lane_id = NEW.lane_id),
      'key', NEW.idempotency_key, 'parent', NEW.parent_job_id, 'step', NEW.step, 'item', NEW.item, 'retryOf', NEW.retry_of, 'labels', NEW.labels)::text);
  ELSIF OLD.erase_audit_id IS DISTINCT FROM NEW.erase_audit_id THEN
    INSERT INTO muster.sim_journal (kind, id) VALUES ('erase', NEW.job_id);
  ELSIF OLD.priority <> NEW.priority THEN
    INSERT INTO muster.sim_journal (kind, id, cause) VALUES ('priority', NEW.job_id, NEW.priority);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE ON muster.jobs
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_record();

CREATE FUNCTION muster.sim_journal_attempt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, attempt, session_id, cause, counted, text)
  VALUES ('attempt', NEW.job_id, NEW.attempt, NEW.session_id, NEW.outcome, NEW.counted::int, NEW.failure);
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT ON muster.job_attempts
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_attempt();

CREATE FUNCTION muster.sim_journal_run() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO muster.sim_journal (kind, id, to_state, attempt, counted, session_id, until, next_due, demands, lane)
    VALUES ('create', NEW.job_id, NEW.state, NEW.attempt, NEW.attempt_count, NEW.session_id, NEW.due_time, NEW.deadline,
            (SELECT demands FROM muster.lanes WHERE lane_id = NEW.lane_id), NEW.lane_id);
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO muster.sim_journal (kind, id, from_state, attempt, counted, session_id, until, stop_until, stop_to)
    VALUES ('remove', OLD.job_id, OLD.state, OLD.attempt, OLD.attempt_count, OLD.session_id, OLD.due_time, OLD.suspend_until, OLD.suspend_to);
  ELSIF (OLD.state, OLD.attempt, OLD.session_id) IS DISTINCT FROM (NEW.state, NEW.attempt, NEW.session_id) THEN
    INSERT INTO muster.sim_journal (kind, id, from_state, to_state, attempt, counted, session_id, until, text, losses, charges, next_due,
                                    demands, lane, stop_until, stop_to)
    VALUES ('move', NEW.job_id, OLD.state, NEW.state, NEW.attempt, NEW.attempt_count,
            coalesce(NEW.session_id, OLD.session_id), OLD.due_time, NEW.reason, NEW.consecutive_losses, NEW.suspect_losses, NEW.due_time,
            (SELECT demands FROM muster.lanes WHERE lane_id = NEW.lane_id), NEW.lane_id, OLD.suspend_until, OLD.suspend_to);
  ELSIF OLD.progress_sequence <> NEW.progress_sequence THEN
    INSERT INTO muster.sim_journal (kind, id, from_state, attempt, session_id, cause, text, counted)
    VALUES ('progress', NEW.job_id, NEW.state, NEW.attempt, NEW.session_id, NEW.progress_sequence, NEW.progress_message,
            NEW.run_extension_ms::int);
  ELSIF (OLD.unmet_dependencies, OLD.notifies_end, OLD.children) IS DISTINCT FROM (NEW.unmet_dependencies, NEW.notifies_end, NEW.children) THEN
    -- Somebody waits for it, or it for somebody: that is told of elsewhere.
    RETURN NULL;
  ELSE
    INSERT INTO muster.sim_journal (kind, id, from_state, attempt, counted, text, until, next_due, stop_until, stop_to, cause)
    VALUES ('touch', NEW.job_id, NEW.state, NEW.attempt, NEW.attempt_count, NEW.reason, OLD.due_time, NEW.due_time,
            OLD.suspend_until, OLD.suspend_to, (OLD.suspend_until IS DISTINCT FROM NEW.suspend_until)::int);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE OR DELETE ON muster.job_runs
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_run();

CREATE FUNCTION muster.sim_journal_outcome() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, to_state, attempt, counted, session_id, next_due, cause, text, other_id)
  VALUES ('end', NEW.job_id, NEW.state, NEW.attempt, NEW.attempt_count, NEW.session_id, NEW.end_time, NEW.cancel_stage,
          coalesce(convert_from(NEW.result, 'UTF8'), NEW.failure), NEW.cleanup_job_id);
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT ON muster.job_outcomes
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_outcome();

CREATE FUNCTION muster.sim_journal_tampering() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  -- Erasing takes the data from an outcome, and nothing else.
  IF TG_OP = 'UPDATE' AND (OLD.state, OLD.attempt, OLD.attempt_count, OLD.session_id, OLD.end_time) IS NOT DISTINCT FROM
     (NEW.state, NEW.attempt, NEW.attempt_count, NEW.session_id, NEW.end_time)
     AND EXISTS (SELECT FROM muster.jobs WHERE job_id = NEW.job_id AND erase_audit_id IS NOT NULL) THEN
    RETURN NULL;
  END IF;
  -- It missed its soft deadline: its revision rises, and nothing else changes.
  IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'revision' = to_jsonb(NEW) - 'revision' AND NEW.revision = OLD.revision + 1
     AND EXISTS (SELECT FROM muster.soft_deadlines WHERE job_id = NEW.job_id AND miss_time IS NOT NULL) THEN
    RETURN NULL;
  END IF;
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
  INSERT INTO muster.sim_journal (kind, id, from_state, to_state, attempt, until, cause, text, counted)
  VALUES ('session', NEW.session_id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, NEW.state, NEW.beats, NEW.lease_until,
          NEW.close_cause, NEW.worker_name, NEW.drain_wanted::int);
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE ON muster.sessions
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_session();

CREATE FUNCTION muster.sim_journal_deadline() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, cause, until, next_due)
  VALUES ('deadline', NEW.job_id, CASE WHEN TG_OP = 'INSERT' THEN NEW.reaction END, NEW.time, NEW.miss_time);
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE ON muster.soft_deadlines
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_deadline();

-- Queues and breakers have names, not ids.
CREATE FUNCTION muster.sim_journal_queue() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.paused <> NEW.paused THEN
    INSERT INTO muster.sim_journal (kind, id, from_state, to_state, text)
    VALUES ('queue', md5(NEW.name)::uuid, OLD.paused::int, NEW.paused::int, NEW.name);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER UPDATE ON muster.queues
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_queue();

-- A lane that finds no room, until when it counts, and the session that is kept free for it.
CREATE FUNCTION muster.sim_journal_wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, lane, session_id, until)
  VALUES ('wait', md5(coalesce(NEW.lane_id, OLD.lane_id)::text)::uuid, coalesce(NEW.lane_id, OLD.lane_id), NEW.session_id,
          NEW.ask_time);
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE OR DELETE ON muster.reservations
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_wait();

CREATE FUNCTION muster.sim_journal_breaker() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (OLD.state, OLD.probe_job_id, OLD.probe_attempt) IS DISTINCT FROM (NEW.state, NEW.probe_job_id, NEW.probe_attempt) THEN
    INSERT INTO muster.sim_journal (kind, id, from_state, to_state, text, until, next_due, other_id, attempt)
    VALUES ('breaker', md5(NEW.name)::uuid, OLD.state, NEW.state, NEW.name, OLD.probe_time, NEW.probe_time,
            NEW.probe_job_id, NEW.probe_attempt);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER UPDATE ON muster.circuit_breakers
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_breaker();
`;

/** Times are microseconds since 1970 on the database's clock; states are codes. */
export interface JournalRow {
  readonly n: number;
  readonly at: number;
  readonly kind:
    | 'record'
    | 'create'
    | 'move'
    | 'touch'
    | 'progress'
    | 'checkpoint'
    | 'attempt'
    | 'remove'
    | 'end'
    | 'erase'
    | 'tampered'
    | 'session'
    | 'queue'
    | 'breaker'
    | 'wait'
    | 'deadline'
    | 'priority'
    | FlowKind
    | LinkKind;
  /** Id of the job or of the session; derived from the name of a queue or a breaker. */
  readonly id: string;
  readonly from: number | null;
  readonly to: number | null;
  /** Heartbeats of a session; the attempt that is a breaker's probe. */
  readonly attempt: number | null;
  /**
   * Counted attempts so far; for an attempt: whether it counts, 0 or 1; for a session: whether it was asked to drain;
   * for progress: the requested time beyond the run timeout, in ms.
   */
  readonly counted: number | null;
  readonly sessionId: string | null;
  /** The due time before a change or an end, the end of the lease, the run time of a new job, or a soft deadline. */
  readonly until: number | null;
  /**
   * Why the session was closed, the sequence of a progress update, the outcome of an attempt, the stage of a cancel;
   * for a touch: whether a request to stop was made or withdrawn, 0 or 1; for a new soft deadline: the reaction; for a record
   * and its changes: the priority.
   */
  readonly cause: number | null;
  /** Result, failure, message, checkpoint, reason, name; for a record: JSON of the request. */
  readonly text: string | null;
  /** After a move. */
  readonly losses: number | null;
  readonly charges: number | null;
  /** The due time after a change; the deadline of a new job; when a soft deadline was found to be missed; the recorded end. */
  readonly nextDue: number | null;
  /** For an end: the clean-up job; for a breaker: the job that is its probe. */
  readonly otherId: string | null;
  /** For a new job and a move: the demands of its lane. */
  readonly demands: string | null;
  readonly lane: number | null;
  /** Before a change or an end: until when the handler was asked to stop, and the state that should follow. */
  readonly stopUntil: number | null;
  readonly stopTo: number | null;
}

const readAll = {
  name: 'sim_read_journal',
  text: `SELECT n, at, kind, id, from_state, to_state, attempt, counted, session_id, until, cause, text,
                losses, charges, next_due, other_id, demands, lane, stop_until, stop_to
         FROM muster.sim_journal ORDER BY n`,
  row: {
    n: 'int8',
    at: 'timestamptz',
    kind: 'text',
    id: 'uuid',
    from_state: 'int2?',
    to_state: 'int2?',
    attempt: 'int4?',
    counted: 'int4?',
    session_id: 'uuid?',
    until: 'timestamptz?',
    cause: 'int2?',
    text: 'text?',
    losses: 'int2?',
    charges: 'int2?',
    next_due: 'timestamptz?',
    other_id: 'uuid?',
    demands: 'text?',
    lane: 'int4?',
    stop_until: 'timestamptz?',
    stop_to: 'int2?',
  },
} satisfies Statement;

export async function readJournal(postgres: SimPostgres): Promise<JournalRow[]> {
  const rows = await postgres.run(readAll, []);
  return rows.map((row) => ({
    n: row.n,
    at: row.at,
    kind: row.kind as JournalRow['kind'],
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
    nextDue: row.next_due,
    otherId: row.other_id,
    demands: row.demands,
    lane: row.lane,
    stopUntil: row.stop_until,
    stopTo: row.stop_to,
  }));
}
