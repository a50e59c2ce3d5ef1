/**
 * Requests for jobs after their submission, against their effects: sweeps, retries, erasures, replacements, clean-ups.
 */
import { CleanupCondition } from '../../../../sdk/typescript/src/gen/muster/v1/job_definition_pb.ts';
import { CancelStage } from '../../../../sdk/typescript/src/gen/muster/v1/job_pb.ts';
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import type { Entry } from '../../core/history.ts';
import { decodeScript } from '../../nodes/handler-script.ts';
import { CLEANUP_HANDLER, definitionOf } from '../../scenario/definitions.ts';
import type { Evidence, JobFacts } from '../base/events.ts';
import type { JobChecks, JobLife } from './jobs.ts';

const { CANCELLED, SUCCEEDED, FAILED, EXPIRED } = stateCodes;

export function checkPeople(evidence: Evidence, jobs: JobChecks): void {
  checkSweeps(evidence, jobs);
  checkRedrives(evidence, jobs);
  checkRetried(evidence, jobs);
  checkCleanups(evidence, jobs);
  checkStages(evidence, jobs);
}

const stageNames = Object.keys(CancelStage);

function seen(evidence: Evidence, kind: string): readonly Entry[] {
  return evidence.seen.get(kind) ?? [];
}

/** I13 for many: a job that matched a filter before the sweep is not assigned after it. */
function checkSweeps(evidence: Evidence, { lives }: JobChecks): void {
  const { history, facts } = evidence;
  for (const over of seen(evidence, 'swept')) {
    if (over.facts.kind !== 'cancelMany') continue;
    const begins = seen(evidence, 'sweep').filter(
      (one) => one.facts.batch === over.facts.batch && one.order < over.order,
    );
    const began = Math.max(...begins.filter((one) => one.facts.kind === 'cancelMany').map((one) => one.order));
    for (const life of lives.values()) {
      if (facts.get(life.id)?.batch !== over.facts.batch || life.createdAt > began) continue;
      const late = life.grants.find((grant) => grant.order > over.order);
      if (late)
        history.violate('I13 cancel', `job ${life.id} was granted (${late.fence}) after its batch was cancelled`);
    }
  }
}

/** Each job of a batch that had failed before a redrive has a retry after it; nothing is left of erased jobs. */
function checkRedrives(evidence: Evidence, { lives }: JobChecks): void {
  const { history, facts, journal } = evidence;
  const erased = new Map(journal.filter((row) => row.kind === 'erase').map((row) => [row.id, row.order]));
  const retried = new Set([...facts.values()].map(({ retryOf }) => retryOf));
  /** The definition `single` refuses a retry while another job of the key is open. */
  const isKeyHeld = (id: string, began: number, ended: number) => {
    const key = singleKeyOf(facts.get(id));
    const isOpenThen = ({ createdAt, end }: JobLife) => createdAt < ended && (end?.order ?? ended) > began;
    return (
      key !== undefined &&
      [...lives.values()].some((life) => isOpenThen(life) && singleKeyOf(facts.get(life.id)) === key)
    );
  };
  for (const over of seen(evidence, 'swept').filter((entry) => entry.facts.kind === 'retryMany')) {
    const began = seen(evidence, 'sweep').find((entry) => entry.facts.call === over.facts.call)?.order ?? over.order;
    for (const { id, end } of lives.values()) {
      if (!end || end.order > began || facts.get(id)?.batch !== over.facts.batch) continue;
      if ((end.to !== FAILED && end.to !== EXPIRED) || (erased.get(id) ?? Number.POSITIVE_INFINITY) < over.order)
        continue;
      history.count('a redrive met a job that had failed');
      if (retried.has(id) || isKeyHeld(id, began, over.order)) continue;
      history.violate('manual retries', `job ${id} was skipped by a redrive of its batch`);
    }
  }
}

function singleKeyOf(facts: JobFacts | undefined): string | undefined {
  return facts?.definition === 'single' ? decodeScript(facts.input || '{}').matching : undefined;
}

/**
 * A retry is a new job like the old one, which had ended; a redrive creates one for each job, however often it is
 * called.
 */
function checkRetried(evidence: Evidence, { lives }: JobChecks): void {
  const { history, facts } = evidence;
  const manual = new Map<string, number>();
  for (const entry of seen(evidence, 'retry'))
    manual.set(String(entry.facts.job), (manual.get(String(entry.facts.job)) ?? 0) + 1);
  const children = new Map<string, string[]>();
  for (const [id, { retryOf }] of facts)
    if (retryOf !== undefined) children.set(retryOf, [...(children.get(retryOf) ?? []), id]);
  for (const [parent, ids] of children) {
    // The job of a step is retried with its workflow.
    const ofWorkflow = children.get(facts.get(parent)?.parent ?? '')?.length ?? 0;
    const allowed = (manual.get(parent) ?? 0) + 1 + ofWorkflow;
    if (ids.length > allowed) history.violate('I2 idempotent submit', `job ${parent} was retried as ${ids.join(', ')}`);
    const end = lives.get(parent)?.end;
    for (const id of ids) {
      const created = lives.get(id)?.createdAt ?? 0;
      if (!end || end.order > created)
        history.violate('manual retries', `job ${id} retries ${parent}, which had not ended`);
      if (facts.get(id)?.definition !== facts.get(parent)?.definition)
        history.violate('manual retries', `job ${id} is of another definition than ${parent}, which it retries`);
    }
  }
  for (const kind of ['redriven', 'retried']) {
    for (const entry of seen(evidence, kind)) {
      history.count(kind);
      const end = lives.get(String(entry.facts.job))?.end?.to;
      if (facts.get(String(entry.facts.as))?.retryOf !== entry.facts.job)
        history.violate('manual retries', `job ${entry.facts.as} was answered as the retry of ${entry.facts.job}`);
      if (kind === 'redriven' && end !== FAILED && end !== EXPIRED)
        history.violate('manual retries', `job ${entry.facts.job} ended as ${end} and was redriven`);
    }
  }
}

function wantsCleanup({ definition, cleanupOf }: JobFacts, end: number | null | undefined): boolean {
  const body = definitionOf.get(definition)?.body;
  if (cleanupOf !== undefined || body?.case !== 'task' || body.value.cleanupHandler !== CLEANUP_HANDLER) return false;
  return end === CANCELLED || (end === FAILED && body.value.cleanupAfter === CleanupCondition.UNSUCCESSFUL);
}

/** One clean-up for each job that its definition wants cleaned up after, named in its outcome; it does its work. */
function checkCleanups(evidence: Evidence, { lives }: JobChecks): void {
  const { history, facts } = evidence;
  const cleanups = new Map<string, JobLife[]>();
  for (const life of lives.values()) {
    const of = facts.get(life.id)?.cleanupOf;
    if (of !== undefined) cleanups.set(of, [...(cleanups.get(of) ?? []), life]);
  }
  for (const life of lives.values()) {
    const own = cleanups.get(life.id) ?? [];
    const wanted = life.grants.length > 0 && wantsCleanup(facts.get(life.id) as JobFacts, life.end?.to);
    if (wanted && life.end?.to === FAILED) history.count('clean-up after a failure');
    if (own.length !== +wanted) {
      history.violate('clean-ups', `job ${life.id} has ${own.length} clean-ups, it should have ${+wanted}`);
      continue;
    }
    const named = life.end?.otherId ?? undefined;
    if (named !== own[0]?.id)
      history.violate('clean-ups', `job ${life.id} names clean-up ${named}, it has ${own[0]?.id}`);
    if (own[0]) checkCleanup(evidence, own[0]);
  }
  for (const of of cleanups.keys())
    if (!lives.has(of)) history.violate('clean-ups', `there is a clean-up after nothing: ${of}`);
}

function checkCleanup({ history, facts }: Evidence, cleanup: JobLife): void {
  const end = cleanup.end?.to;
  if (cleanup.grants.length > 1) history.count('clean-up ran more than once');
  const mayFail = cleanup.end?.text?.includes('"POISON"') ?? false;
  if (end === SUCCEEDED) history.count('clean-up done');
  else if (end !== CANCELLED && !mayFail)
    history.violate(
      'clean-ups',
      `clean-up ${cleanup.id} of ${facts.get(cleanup.id)?.cleanupOf} ended as ${end}: ${cleanup.end?.text}`,
    );
}

/** The stage of a cancel in an answer agrees with the journal. */
function checkStages(evidence: Evidence, { lives }: JobChecks): void {
  const { history } = evidence;
  for (const { facts } of seen(evidence, 'read')) {
    const life = lives.get(String(facts.job));
    if (Number(facts.state) < SUCCEEDED || !life?.end) continue;
    const stage = Number(facts.stage ?? CancelStage.UNSPECIFIED) as CancelStage;
    if (facts.state === CANCELLED) history.count(`cancel stage ${stageNames[stage]}`);
    if (stage !== (life.end.cause ?? CancelStage.UNSPECIFIED))
      history.violate('I13 cancel', `job ${facts.job} was read at stage ${stage}, it ended at ${life.end.cause}`);
    const never = stage === CancelStage.NOT_STARTED && life.wasHeld;
    if (never) history.violate('I13 cancel', `job ${facts.job} was cancelled as NOT_STARTED while a session held it`);
  }
}
