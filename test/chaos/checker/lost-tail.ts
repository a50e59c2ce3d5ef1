/**
 * What holds when an asynchronous standby is promoted: what was acknowledged after the standby had caught up may be gone,
 * a call as a whole, and nothing else. The journal is in the database, and is judged by all its rules. Of the records
 * outside of the database, those about a job that was open in that time are judged by the rules of this file alone, all
 * others by all checks.
 */
import { stateCodes } from '../../../server/domain/jobs/job-state.ts';
import type { Call } from '../load/load.ts';
import { type Evidence, type Findings, msOf } from './evidence.ts';

/** From the moment before the standby caught up until each replica worked on it, in ms since 1970. */
export interface Tail {
  readonly from: number;
  readonly to: number;
}

export interface LostTailParts {
  readonly evidence: Evidence;
  readonly tail: Tail;
  /** The definition of each job in the database. */
  readonly stored: ReadonlyMap<string, string>;
  readonly findings: Findings;
}

/** Answers to a report that change a job. */
const EFFECTIVE: ReadonlySet<string> = new Set(['ACCEPTED', 'DUPLICATE']);

/** Judges what may be lost. Returns the evidence for all other checks. */
export function withoutTail(parts: LostTailParts): Evidence {
  const { evidence } = parts;
  const open = jobsOpenIn(parts.tail, evidence);
  const granted = fencesOf(evidence);
  checkLateReports(parts, granted);
  const sessions = new Set(evidence.journal.filter(({ kind }) => kind === 'session').map(({ id }) => id));
  const isKnown = (job: string | undefined) => job === undefined || (parts.stored.has(job) && !open.has(job));
  return {
    ...evidence,
    calls: evidence.calls.flatMap((call) => keptCall(call, parts, isKnown)),
    reports: evidence.reports.filter(({ job, session }) => isKnown(job) && sessions.has(session)),
    records: evidence.records.filter(({ job }) => isKnown(job)),
  };
}

function keptCall(call: Call, parts: LostTailParts, isKnown: (job: string) => boolean): readonly Call[] {
  const { tail, findings } = parts;
  if (call.kind !== 'submit') return call.jobs.every(isKnown) ? [call] : [];
  if (call.outcome === 'ok') return isStored(call, parts) ? [call] : [];
  if (!isWithin(call, tail)) return [call];
  // Its first try may be stored and its second one not, or the other way round.
  findings.count('submit without one answer, in the tail');
  return [{ ...call, outcome: 'info' }];
}

/** Whether an accepted submission is in the database, each job under its own definition. */
function isStored(call: Call, { tail, stored, findings }: LostTailParts): boolean {
  const there = call.jobs.filter((job) => stored.has(job));
  for (const [i, job] of call.jobs.entries()) {
    const [definition, wanted] = [stored.get(job), call.definitions[i]];
    if (definition !== undefined && definition !== wanted)
      findings.violate('I1', `job ${job} was submitted to ${wanted} and is stored under ${definition}`);
  }
  if (there.length === call.jobs.length) return true;
  findings.count('jobs accepted and lost with the tail', call.jobs.length - there.length);
  if (there.length > 0) findings.violate('I1', `submission ${call.requestId} was lost in part`);
  if (!isWithin(call, tail))
    findings.violate('I1', `submission ${call.requestId} was lost, and it was not answered in the tail`);
  return false;
}

/** Anything may have happened to such a job, and be lost. */
function jobsOpenIn({ from, to }: Tail, { journal }: Evidence): Set<string> {
  const began = journal.filter(({ kind, at }) => kind === 'create' && msOf(at) <= to);
  const over = new Set(journal.filter(({ kind, at }) => kind === 'end' && msOf(at) < from).map(({ id }) => id));
  return new Set(began.map(({ id }) => id).filter((id) => !over.has(id)));
}

/** A call without an answer has no end. */
function isWithin({ beganAt, endedAt, outcome }: Call, { from, to }: Tail): boolean {
  return beganAt <= to && (outcome === 'info' || endedAt >= from);
}

/** I7: after the promotion no report about an attempt that the database does not know has an effect. */
function checkLateReports({ evidence, tail, findings }: LostTailParts, granted: ReadonlySet<string>): void {
  for (const { job, attempt, session, said, answer, at } of evidence.reports) {
    const fence = `${job}/${attempt}/${session}`;
    if (at <= tail.to || granted.has(fence)) continue;
    findings.count(`report of a lost attempt: ${answer}`);
    if (EFFECTIVE.has(answer)) findings.violate('I7', `${said} of ${fence} was ${answer}, and its grant is lost`);
  }
}

function fencesOf({ journal }: Evidence): Set<string> {
  const grants = journal.filter(({ to }) => to === stateCodes.ASSIGNED);
  return new Set(grants.map(({ id, attempt, sessionId }) => `${id}/${attempt}/${sessionId}`));
}
