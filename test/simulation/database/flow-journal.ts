/** The part of the journal about workflows and batches: the control plane's records of them. */

const kinds = ['workflow', 'step', 'batch', 'counts'] as const;
/**
 * Each with the job's id. `workflow`: phases from and to, `cause` is the stop reason. `step`: states from and to,
 * `lane` is its number, `counted` its iteration, `otherId` its job, `text` the workflow that it was adopted from,
 * `until` when it took the result of an earlier job. `batch`: `counted` members, `until` when it was sealed, `cause`
 * the stop reason, `otherId` its callback. `counts`: JSON of the members' ends.
 */
export type FlowKind = (typeof kinds)[number];

export function isOfFlow(kind: string): kind is FlowKind {
  return (kinds as readonly string[]).includes(kind);
}

export const flowJournalSchema = `
CREATE FUNCTION muster.sim_journal_workflow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, from_state, to_state, cause)
  VALUES ('workflow', NEW.job_id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.phase END, NEW.phase, NEW.stop_reason);
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE ON muster.workflow_runs
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_workflow();

CREATE FUNCTION muster.sim_journal_step() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, from_state, to_state, lane, counted, other_id, text, until)
  VALUES ('step', NEW.job_id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, NEW.state, NEW.step, NEW.iteration, NEW.child_job_id,
          NEW.adopted_from, NEW.cache_time);
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE ON muster.workflow_steps
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_step();

CREATE FUNCTION muster.sim_journal_batch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, counted, until, cause, other_id)
  VALUES ('batch', NEW.job_id, NEW.members, NEW.seal_time, NEW.stop_reason, NEW.callback_job_id);
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE ON muster.batches
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_batch();

CREATE FUNCTION muster.sim_journal_counts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO muster.sim_journal (kind, id, text)
  VALUES ('counts', NEW.job_id, json_build_object('succeeded', NEW.succeeded, 'failed', NEW.failed, 'cancelled', NEW.cancelled,
          'expired', NEW.expired, 'skipped', NEW.skipped)::text);
  RETURN NULL;
END $$;
CREATE TRIGGER sim_journal AFTER INSERT OR UPDATE ON muster.batch_counts
FOR EACH ROW EXECUTE FUNCTION muster.sim_journal_counts();
`;
