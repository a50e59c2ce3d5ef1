/** The part of the journal about waits: events on their way or kept, dependencies, and publications. */

const kinds = ['event', 'edge', 'asset'] as const;
/**
 * `event`: the id of its name and key; states from and to are 1 kept and 2 on its way, `lane` its number, `until` how
 * long it is kept, `text` the payload. `edge`: the id of the waiting job; `otherId` its target, `to` the kind of that,
 * `cause` the condition, `counted` its number, `sessionId` the workflow and `lane` the step, `until` after when a
 * publication counts. `asset`: `text` its name, `counted` its version.
 */
export type LinkKind = (typeof kinds)[number];

export function isOfLinks(kind: string): kind is LinkKind {
  return (kinds as readonly string[]).includes(kind);
}

export const linkJournalSchema = `
CREATE FUNCTION muster.sim_journal_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  -- A page of its waits was ended; it is on its way to the rest.
  IF TG_OP = 'UPDATE' AND OLD.up_to_row = NEW.up_to_row THEN RETURN NULL; END IF;
  INSERT INTO muster.sim_journal (kind, id, lane, from_state, to_state, until, text)
  VALUES ('event', coalesce(NEW.signal_key_id, OLD.signal_key_id), coalesce(NEW.row_id, OLD.row_id)::int,
          CASE WHEN TG_OP <> 'INSERT' THEN CASE WHEN OLD.up_to_row IS NULL THEN 1 ELSE 2 END END,
          CASE WHEN TG_OP <> 'DELETE' THEN CASE WHEN NEW.up_to_row IS NULL THEN 1 ELSE 2 END END,
          coalesce(NEW.keep_until, OLD.keep_until), convert_from(coalesce(NEW.payload, OLD.payload), 'UTF8'));
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE OR DELETE ON muster.sent_signals
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_event();

CREATE FUNCTION muster.sim_journal_edge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, other_id, to_state, cause, counted, session_id, lane, until)
  VALUES ('edge', NEW.job_id, NEW.target_id, NEW.kind, NEW.condition, NEW.number, NEW.workflow_job_id, NEW.step,
          CASE WHEN NEW.kind = 3 THEN NEW.after_time END);
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT ON muster.job_dependencies
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_edge();

CREATE FUNCTION muster.sim_journal_asset() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, text, counted) VALUES ('asset', NEW.asset_id, NEW.name, NEW.version::int);
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE ON muster.assets
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_asset();
`;
