/** Checks of the clients' and readers' records against the lives in the journal (I1, I2, I7, I8, I13, I15). */
import { stateCodes } from '../../../server/domain/jobs/job-state.ts';
import type { Call } from '../load/load.ts';
import { type Evidence, Findings, msOf, ROUNDING_MS } from './evidence.ts';
import { type JobLife, Lives, names } from './lives.ts';
import { isUndone } from './restores.ts';
import { checkStarts } from './starts.ts';

export function check(evidence: Evidence): { findings: Findings; lives: Lives } {
  const findings = new Findings();
  const lives = new Lives(evidence, findings);
  checkSubmissions(evidence, lives, findings);
  checkCancels(evidence, lives, findings);
  checkHolds(evidence, lives, findings);
  checkReports(evidence, lives, findings);
  checkReadings(evidence, lives, findings);
  checkStarts(evidence, lives, findings);
  checkLiveness(lives, findings);
  return { findings, lives };
}

/** I1 and I2: every accepted job exists, once for each call and each key, and no others exist. */
function checkSubmissions({ calls, restores }: Evidence, { jobs }: Lives, findings: Findings): void {
  const accepted = new Set<string>();
  const owners = new Map<string, string>();
  let open = 0;
  for (const call of calls) {
    findings.count(`${call.kind} ${call.outcome}`);
    findings.count(`${call.kind} tries without an answer`, call.unknown);
    if (call.kind !== 'submit') continue;
    if (call.unknown > 0 && call.outcome === 'ok')
      findings.count('submit repeated under its request id until it was answered');
    if (call.outcome === 'info') open++;
    if (call.outcome === 'fail') findings.violate('I1', `a submission was refused: ${call.answer}`);
    call.jobs.forEach((job, i) => {
      accepted.add(job);
      if (isUndone(call, restores)) {
        findings.count(jobs.has(job) ? 'job accepted during a backup that has it' : 'job undone by a restore');
        return;
      }
      if (!jobs.has(job)) findings.violate('I1', `job ${job} was accepted and never created`);
      const key = call.keys[i];
      if (!key) return;
      const owner = owners.get(key) ?? job;
      owners.set(key, owner);
      if (owner !== job) findings.violate('I2', `key ${key} names job ${owner} and job ${job}`);
    });
  }
  findings.count('jobs accepted', accepted.size);
  const nobodys = [...jobs.values()].filter(({ id, isVariety }) => !isVariety && !accepted.has(id));
  if (open === 0 && nobodys.length > 0)
    findings.violate(
      'I2',
      `${nobodys.length} jobs are in no answer, so a call was stored twice: ${idsOf(nobodys.slice(0, 5))}`,
    );
}

function idsOf(lives: readonly JobLife[]): string {
  return lives.map(({ id }) => id).join(', ');
}

/** I13: after the answer of a cancel nothing is assigned, and the job ends CANCELLED or with an earlier success. */
function checkCancels({ calls, restores }: Evidence, { jobs }: Lives, findings: Findings): void {
  for (const call of calls) {
    if (call.kind !== 'cancel' || isUndone(call, restores)) continue;
    const life = jobs.get(call.jobs[0] ?? '');
    if (!life) continue;
    if (call.outcome === 'fail' && !call.answer.startsWith('JOB_ENDED'))
      findings.violate('I13', `a cancel of ${life.id} was refused: ${call.answer}`);
    if (call.outcome !== 'ok') continue;
    const late = life.grants.find((grant) => msOf(grant.at) > call.endedAt + ROUNDING_MS);
    if (late)
      findings.violate('I13', `job ${life.id} was granted attempt ${late.attempt} after its cancel had been answered`);
    const end = life.end?.to;
    if (end !== stateCodes.CANCELLED && end !== stateCodes.SUCCEEDED)
      findings.violate('I13', `job ${life.id} was cancelled and ended as ${names[end ?? 0]}`);
  }
}

/** Reasons with which pauses and resumes are refused if they come too late, or the job does not wait. */
const TOO_LATE: ReadonlySet<string> = new Set(['JOB_ENDED', 'JOB_NOT_WAITING']);

/** No attempt of a job is assigned from the answer of its pause until the next request to resume it. */
function checkHolds({ calls, restores }: Evidence, { jobs }: Lives, findings: Findings): void {
  const resumes = calls.filter((call) => call.kind === 'resume');
  for (const call of calls) {
    if (call.kind !== 'pause' && call.kind !== 'resume') continue;
    if (isUndone(call, restores) || (restores.length > 0 && !jobs.has(call.jobs[0] ?? ''))) continue;
    if (call.outcome === 'fail' && !TOO_LATE.has(reasonOf(call)))
      findings.violate('I3', `a ${call.kind} of ${call.jobs[0]} was refused: ${call.answer}`);
    if (call.kind === 'resume' || call.outcome !== 'ok' || call.answer !== String(stateCodes.PAUSED)) continue;
    findings.count('job paused');
    // An earlier request by a caller with the same key may still have been in progress.
    const asked = resumes.filter(({ jobs: [job], outcome, endedAt }) => {
      return job === call.jobs[0] && (outcome === 'info' || endedAt >= call.beganAt);
    });
    const until = Math.min(...asked.map(({ beganAt }) => beganAt));
    const grants = jobs.get(call.jobs[0] ?? '')?.grants ?? [];
    if (grants.some(({ at }) => msOf(at) > call.endedAt + ROUNDING_MS && msOf(at) < until))
      findings.violate('I3', `job ${call.jobs[0]} was granted while it was paused`);
  }
}

/** The part of a refusal's text that programs compare. */
function reasonOf({ answer }: Call): string {
  return answer.split(':', 1)[0] ?? '';
}

/** I7 and I8: the answers to reports agree with the journal. */
function checkReports({ reports }: Evidence, lives: Lives, findings: Findings): void {
  for (const { job, attempt, session, said, answer, at } of reports) {
    findings.count(`report of ${said}: ${answer}`);
    const grant = lives.grantOf(job, attempt);
    const fence = `${said} of ${job}/${attempt}/${session}`;
    if (!grant || grant.session !== session) {
      findings.violate('I9', `${fence} was reported and never granted`);
      continue;
    }
    const end = lives.jobs.get(job)?.end;
    const won = end?.attempt === attempt && end.sessionId === session && end.to === stateCodes.SUCCEEDED;
    const wasClosed = grant.closed !== undefined && msOf(grant.closed.at) <= at + ROUNDING_MS;
    if (said === 'another result' && answer !== 'LEASE_LOST' && answer !== 'SESSION_LOST')
      findings.violate('I8', `${fence} was ${answer}`);
    if (said === 'result' && (answer === 'ACCEPTED' || answer === 'DUPLICATE') && !won)
      findings.violate('I7', `${fence} was ${answer}, and the job did not end with it`);
    if (said === 'result' && answer === 'LEASE_LOST' && won)
      findings.violate('I7', `${fence} was refused, and the job ended with it`);
    if (
      said === 'released' &&
      answer === 'ACCEPTED' &&
      grant.closed?.how !== 'RELEASED' &&
      grant.closed?.how !== 'CANCELLED'
    )
      findings.violate('I7', `${fence} was ACCEPTED, and ${grant.closed?.how} closed the attempt`);
    if (answer === 'LEASE_LOST' && !wasClosed)
      findings.violate('I7', `${fence} was refused while the attempt was open`);
    const closing = lives.sessions.get(session)?.closing;
    if (answer === 'SESSION_LOST' && !(closing && msOf(closing.at) <= at + ROUNDING_MS))
      findings.violate('I7', `${fence} was refused for its session, which was open`);
  }
}

/** I8: every reader gets the same outcome. */
function checkReadings({ readings }: Evidence, { jobs }: Lives, findings: Findings): void {
  findings.count('outcomes read', readings.length);
  for (const { job, replica, state, text } of readings) {
    const end = jobs.get(job)?.end;
    if (end?.to !== state)
      findings.violate(
        'I8',
        `job ${job} was read at ${replica} as ${names[state]}, it ended as ${names[end?.to ?? 0]}`,
      );
    else if (state === stateCodes.SUCCEEDED && end.text !== text)
      findings.violate('I8', `job ${job} was read at ${replica} with ${text}, its result is ${end.text}`);
  }
}

/** I15: every job has ended, and every session is closed. */
function checkLiveness({ jobs, sessions }: Lives, findings: Findings): void {
  for (const life of jobs.values()) if (!life.end) findings.violate('I15', `job ${life.id} is still ${describe(life)}`);
  for (const life of sessions.values()) {
    if (life.state !== 3)
      findings.violate('I15', `session ${life.id} (${life.worker}) is still in state ${life.state}`);
  }
}

function describe(life: JobLife): string {
  return `${names[life.state]} (attempt ${life.attempt}, session ${life.session})`;
}
