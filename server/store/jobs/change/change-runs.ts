/** Scaffolding: a copy of the engine's for submissions, until those are composed there too. */
import { turnOf } from '../../../domain/dispatch/fair-turns.ts';
import { entryKindOf } from '../../../domain/jobs/inbox.ts';
import type { Change } from '../../../domain/jobs/run.ts';
import type { Decide, Selection } from '../../../engine/ports/jobs.ts';
import type { FairRanks } from '../../dispatch/fair-ranks.ts';
import type { Database, Session } from '../../driver/database.ts';
import { insertAudits } from '../../namespaces/audit-records.ts';
import { keepBudgets } from '../../retries/keep-budgets.ts';
import { leaveWaits } from '../../signals/signal-waits.ts';
import { deleteDependencies } from '../inbox/dependency-entries.ts';
import { insertInbox } from '../inbox/inbox-inserts.ts';
import { insertCleanups } from './insert-cleanups.ts';
import { lockRuns } from './lock-runs.ts';
import { updateRecords } from './update-records.ts';
import { writeAttempts, writeContinues, writeEnds } from './write-runs.ts';

export function changeRuns(
  database: Database,
  fairRanks: FairRanks,
  selection: Selection,
  decide: Decide,
): Promise<Change[]> {
  return database.transaction(async (session) => {
    const { runs, nowUs } = await lockRuns(session, selection);
    const decided = runs.flatMap((run) => decide(run, nowUs) ?? []);
    const kept = await keepBudgets(session, decided, nowUs);
    const ranks = await fairRanks.rank(
      session,
      kept.flatMap((change) => turnOf(change) ?? []),
    );
    const changes = kept.map((change) => {
      const rank = ranks.get(change.run.jobId);
      return change.kind === 'continue' && rank !== undefined ? { ...change, rank } : change;
    });
    await writeChanges(session, changes);
    return changes;
  });
}

async function writeChanges(session: Session, changes: readonly Change[]): Promise<void> {
  const continuing = changes.filter((change) => change.kind === 'continue');
  const ended = changes.filter((change) => change.kind === 'end');
  const closing = continuing.filter((change) => change.closed);
  if (closing.length > 0) await writeAttempts(session, closing);
  if (continuing.length > 0) await writeContinues(session, continuing);
  await insertInbox(
    session,
    continuing.flatMap((change) => {
      const kind = entryKindOf(change);
      return kind ? [{ jobId: change.run.jobId, kind }] : [];
    }),
  );
  await updateRecords(
    session,
    continuing.filter((change) => change.record),
  );
  if (ended.length > 0) await writeEnds(session, ended);
  await leaveWaits(session, ended);
  await deleteDependencies(
    session,
    ended.flatMap(({ run }) => (run.unmetDependencies > 0 ? [run.jobId] : [])),
  );
  const cleanups = ended.filter((change) => change.cleanup);
  if (cleanups.length > 0) await insertCleanups(session, cleanups);
  await insertAudits(
    session,
    changes.flatMap(({ audit }) => audit ?? []),
  );
}
