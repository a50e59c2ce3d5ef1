/** The answers to clients and workers, against the journal (I1, I2, I7, I8, I9, I13). */
import { JobState } from '../../../../sdk/typescript/src/gen/muster/v1/job_pb.ts';
import type { Entry } from '../../core/history.ts';
import { decodeScript } from '../../nodes/handler-script.ts';
import { isBatch } from '../../scenario/flows.ts';
import type { Closing } from '../base/closing.ts';
import { type Evidence, fenceOf } from '../base/events.ts';
import type { SessionChecks } from '../sessions/sessions.ts';
import type { JobChecks, JobLife } from './jobs.ts';

type Grants = ReturnType<JobChecks['grants']>;

function kind(evidence: Evidence, name: string): readonly Entry[] {
  return evidence.seen.get(name) ?? [];
}

/** I1 and I2: every accepted job exists, once for each key and request id. */
export function checkSubmissions(evidence: Evidence, jobs: JobChecks): void {
  const { history } = evidence;
  const ownerOf = (job: string) => decodeScript(evidence.facts.get(job)?.input || '{}').owner;
  const made = new Map<string, string>();
  // Erasing a job frees its key.
  const freed = new Set(evidence.journal.filter((row) => row.kind === 'erase').map((row) => ownerOf(row.id)));
  for (const job of jobs.lives.keys()) {
    if (isDerived(evidence, job)) continue;
    const owner = ownerOf(job);
    const other = made.get(owner);
    made.set(owner, job);
    if (other !== undefined && isRepeatable(evidence, owner) && !freed.has(owner))
      history.violate('I2 idempotent submit', `${owner} was stored as job ${other} and as job ${job}`);
  }
  for (const { facts } of kind(evidence, 'submitted')) {
    const [job, owner] = [String(facts.job), String(facts.owner)];
    if (facts.existing) history.count('submission found an existing job');
    if (facts.existing && facts.matching !== undefined) {
      if (matchingIn(evidence, job) !== facts.matching)
        history.violate('I19 matching', `${owner} was answered job ${job}, which is not like it`);
      else history.count(`submission answered by one that is alike: ${evidence.facts.get(job)?.definition}`);
      continue;
    }
    if (!jobs.lives.has(job)) history.violate('I1 no loss', `job ${job} was accepted and never created`);
    else if (ownerOf(job) !== owner)
      history.violate('I2 idempotent submit', `${owner} was answered job ${job}, which is of ${ownerOf(job)}`);
    else if (isRepeatable(evidence, owner) && made.get(owner) !== job && !freed.has(owner))
      history.violate('I2 idempotent submit', `${owner} was answered job ${job}, another is stored`);
  }
  const refused = kind(evidence, 'not submitted');
  const conflicts = refused.filter(({ facts }) => facts.reason === 'IDEMPOTENCY_CONFLICT').length;
  history.count('submission refused for its key', conflicts);
  history.count('submission with an unknown outcome', refused.length - conflicts);
}

function matchingIn({ facts }: Evidence, job: string): string | undefined {
  return decodeScript(facts.get(job)?.input ?? '{}').matching;
}

/** Created by Muster: a clean-up, a manual retry, the job of a schedule, a step or a batch. */
function isDerived({ facts }: Evidence, job: string): boolean {
  const { cleanupOf, retryOf, schedule, parent, definition } = facts.get(job) ?? {};
  const isStep = parent !== undefined && !isBatch(facts.get(parent)?.definition);
  return cleanupOf !== undefined || retryOf !== undefined || schedule !== undefined || isStep || isBatch(definition);
}

/** Whether the job had a key, or its call a request id: only then a repeat creates no second job. */
function isRepeatable(evidence: Evidence, owner: string): boolean {
  if (owner.startsWith('key-')) return true;
  const call = owner.split('.')[0];
  return kind(evidence, 'submit').some(({ facts }) => facts.call === call && facts.request !== '');
}

/** I8: all answers about an ended job are equal. */
export function checkReads(evidence: Evidence, jobs: JobChecks): void {
  const { history } = evidence;
  const erasedAt = new Map(kind(evidence, 'erased').map(({ facts, at }) => [facts.job, at]));
  for (const { facts } of kind(evidence, 'read')) {
    const erased = Boolean(facts.erased);
    // An answer may come late: the time of the request counts.
    if (!erased && (erasedAt.get(facts.job) ?? Number.POSITIVE_INFINITY) < Number(facts.beganMs))
      history.violate('erasing', `job ${facts.job} was read with its data after it had been erased`);
    const end = jobs.lives.get(String(facts.job))?.end;
    if (Number(facts.state) < JobState.SUCCEEDED) continue;
    if (end?.to !== facts.state)
      history.violate(
        'I8 exactly-once completion',
        `job ${facts.job} was read as ${facts.state}, it ended as ${end?.to}`,
      );
    if (facts.state === JobState.SUCCEEDED && facts.text !== (erased ? '' : end?.text))
      history.violate(
        'I8 exactly-once completion',
        `job ${facts.job} was read with ${facts.text}, its result is ${end?.text}`,
      );
  }
}

/** I7: the answer to a report agrees with its effect. */
export function checkReports(evidence: Evidence, grants: Grants, sessions: SessionChecks): void {
  const { history } = evidence;
  // After an erasure it is unknown whether a result equals the stored one.
  const erasedAt = new Map(evidence.journal.filter((row) => row.kind === 'erase').map((row) => [row.id, row.order]));
  for (const { facts, order } of kind(evidence, 'report answered')) {
    const wasErased = (erasedAt.get(String(facts.job)) ?? order) < order;
    const fence = fenceOf(facts.job, facts.attempt, facts.session);
    const closed = grants.get(fence)?.closed;
    const outcome = String(facts.outcome);
    history.count(`report ${facts.result}`);
    if (outcome === 'released') history.count(`released ${facts.text}`);
    const wasClosed = closed !== undefined && closed.order < order;
    const sessionClosed = (sessions.lives.get(String(facts.session))?.closing ?? Infinity) < order;
    if (facts.result === 'LEASE_LOST') {
      const isZombies = (outcome === 'result' || outcome === 'failure') && closed?.reasons.includes('session ended');
      history.count('zombie: its report was refused', Number(isZombies ?? false));
      if (grants.has(fence) && !wasClosed && !sessionClosed)
        history.violate('I7 fencing', `${outcome} of ${fence} was refused while the attempt was open`);
      else if (!wasErased && outcome === 'result' && closed?.reasons.every((reason) => reason === 'result')) {
        history.violate('I7 fencing', `the result of ${fence} was refused, and nothing else had closed the attempt`);
      }
    } else if (!wasClosed)
      history.violate('I7 fencing', `${outcome} of ${fence} was ${facts.result}, and the attempt stayed open`);
    // The suspension of a job that is being cancelled ends it, as the confirmation of the cancel does.
    // Its grace period was over, and it had stopped: either is a suspension.
    else if (outcome === 'suspended' && closed.reasons.includes('grace over'))
      history.count('a handler stopped after its grace period');
    else if ((outcome === 'cancelled' || outcome === 'suspended') && closed.to === undefined)
      history.count('cancel confirmed after it had been enforced', Number(!closed.reasons.includes(outcome)));
    else if (
      !closed.reasons.includes(outcome) &&
      !(closed.to === undefined && isStop([outcome]) && isStop(closed.reasons))
    )
      history.violate('I7 fencing', `${outcome} of ${fence} was ${facts.result}, but ${closed.reasons} closed it`);
  }
}

/** A cancel stops an attempt with any of these reports: one is a repeat of another. */
function isStop(reasons: readonly string[]): boolean {
  return reasons.some((reason) => ['released', 'aborted', 'cancelled'].includes(reason));
}

/** I6 and I9: a handler starts once, under its grant, and never after it was released. */
export function checkStarts(evidence: Evidence, grants: Grants): void {
  const { history } = evidence;
  for (const [fence, starts] of evidence.starts) {
    if (starts.length > 1) history.violate('I9 start needs lease', `${fence} was started ${starts.length} times`);
    const [start] = starts as [Entry];
    const grant = grants.get(fence);
    if (!grant || grant.order > start.order)
      history.violate('I9 start needs lease', `${fence} was started and never granted`);
    const closed = grant?.closed;
    if (closed && closed.order < start.order) {
      if (start.facts.paused) history.count('zombie: a process that had been stopped started a lost attempt');
      else if (isOverdue(closed)) history.count('an attempt began whose time was over already');
      else history.violate('I9 start needs lease', `${fence} was started after it had been closed: ${closed.reasons}`);
    }
    if (closed?.reasons.join() === 'released')
      history.violate('I6 leases', `${fence} was released, and its handler had started`);
  }
}

/**
 * I10: an attempt that got no cancel may run next to the next one only if its time was over and the message of that was
 * lost.
 */
export function checkOverlaps(evidence: Evidence, grants: Grants): void {
  const { history } = evidence;
  for (const { facts, who } of kind(evidence, 'overlap')) {
    const fence = fenceOf(facts.job, facts.attempt, facts.session);
    const begun = fenceOf(facts.job, facts.byAttempt, facts.bySession);
    // The assignment of one whose grace period is over may still be on its way.
    if (isOverdue(grants.get(fence)?.closed) || isOverdue(grants.get(begun)?.closed))
      history.count('overlap: word of a time-out was lost');
    else history.violate('I10 one at a time', `${facts.job} ${facts.by} began while ${fence} ran in ${who}`);
  }
}

/** Its time, or its grace period, was over, or nobody waits for it: its worker may not know yet. */
function isOverdue(closed: Closing | undefined): boolean {
  return closed?.reasons.some((reason) => ['due', 'grace over', 'cancelled without waiting'].includes(reason)) ?? false;
}

/** I13: after the return of CancelJob nothing is assigned, and the job ends as answered. */
export function checkCancels(evidence: Evidence, jobs: JobChecks): void {
  const { history } = evidence;
  history.count('cancel of a job that had ended', kind(evidence, 'too late to cancel').length);
  for (const { facts, order } of kind(evidence, 'cancelled')) {
    const life = jobs.lives.get(String(facts.job)) as JobLife;
    const late = life.grants.find((grant) => grant.order > order);
    if (late)
      history.violate('I13 cancel', `job ${facts.job} was granted (${late.fence}) after its cancel had returned`);
    const end = life.end?.to;
    if (end !== undefined && end !== JobState.CANCELLED && end !== JobState.SUCCEEDED)
      history.violate('I13 cancel', `job ${facts.job} was cancelled and ended as ${end}`);
  }
}
