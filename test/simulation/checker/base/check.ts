/** All checks over the record of one simulation. */
import type { History } from '../../core/history.ts';
import { isOfFlow } from '../../database/flow-journal.ts';
import type { JournalRow } from '../../database/journal.ts';
import { isOfLinks } from '../../database/link-journal.ts';
import type { Profile } from '../../scenario/profile.ts';
import { BatchChecks } from '../batches/batches.ts';
import { FamilyChecks } from '../dependencies/families.ts';
import { NetChecks } from '../dependencies/nets.ts';
import { LimitChecks } from '../dispatch/limits.ts';
import { PlacementChecks } from '../dispatch/placement.ts';
import {
  checkCancels,
  checkOverlaps,
  checkReads,
  checkReports,
  checkStarts,
  checkSubmissions,
} from '../jobs/clients.ts';
import { DeadlineChecks } from '../jobs/deadlines.ts';
import { JobChecks } from '../jobs/jobs.ts';
import { MatchingChecks } from '../jobs/matching.ts';
import { checkPeople } from '../jobs/operators.ts';
import { checkPauses, PauseChecks } from '../jobs/pauses.ts';
import { QueueChecks } from '../queues/queues.ts';
import { BreakerChecks } from '../retries/breakers.ts';
import { BudgetChecks } from '../retries/budgets.ts';
import { checkSchedules } from '../schedules/schedules.ts';
import { DrainChecks } from '../sessions/drains.ts';
import { checkExtensions } from '../sessions/extensions.ts';
import { SessionChecks } from '../sessions/sessions.ts';
import { WaitChecks } from '../signals/waits.ts';
import { FlowChecks } from '../workflows/flows.ts';
import { gather, names, type Plans } from './events.ts';

/** Adds violations and counts to the history. */
export function check(rows: readonly JournalRow[], history: History, profile: Profile, plans: Plans): void {
  const evidence = gather(rows, history, profile, plans);
  const sessions = new SessionChecks(evidence);
  const jobs = new JobChecks(evidence, sessions);
  const others = [
    ...[QueueChecks, DrainChecks, BreakerChecks, BudgetChecks, LimitChecks, MatchingChecks, PlacementChecks],
    ...[FlowChecks, BatchChecks, WaitChecks, NetChecks, FamilyChecks, PauseChecks, DeadlineChecks],
  ].map((Checks) => new Checks(evidence));
  for (const row of evidence.journal) {
    if (row.order < 0) history.violate('journal', `row ${row.n} was written by no statement that we know`);
    for (const checks of others) checks.take(row);
    if (isOfOthers(row.kind)) continue;
    if (row.kind !== 'session') jobs.take(row);
    else {
      sessions.take(row);
      if (row.to === 3) checkEmpty(row.id, jobs, history);
    }
  }
  for (const checks of others) checks.finish();
  const grants = jobs.grants();
  checkSubmissions(evidence, jobs);
  checkReads(evidence, jobs);
  checkReports(evidence, grants, sessions);
  checkStarts(evidence, grants);
  checkOverlaps(evidence, grants);
  checkCancels(evidence, jobs);
  checkPauses(evidence, jobs);
  checkPeople(evidence, jobs);
  checkExtensions(evidence);
  checkSchedules(evidence);
  for (const life of jobs.lives.values()) {
    if (!life.end)
      history.violate(
        'I15 liveness after heal',
        `job ${life.id} is still ${names[life.state]} (attempt ${life.attempt}, session ${life.session})`,
      );
  }
  for (const [id, life] of sessions.lives) {
    if (life.state === 2) history.violate('I15 liveness after heal', `session ${id} is still closing`);
  }
}

/** Whether the row is neither of a job nor of a session. */
function isOfOthers(kind: JournalRow['kind']): boolean {
  return ['queue', 'breaker', 'wait', 'deadline', 'priority'].includes(kind) || isOfFlow(kind) || isOfLinks(kind);
}

/** A session is CLOSED only when it holds nothing. */
function checkEmpty(session: string, jobs: JobChecks, history: History): void {
  for (const life of jobs.lives.values()) {
    if (life.session === session && !life.end)
      history.violate('I15 liveness after heal', `session ${session} was closed while it held job ${life.id}`);
  }
}
