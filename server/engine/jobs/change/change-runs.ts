/** Changes of open jobs: locked and loaded, decided, and written, in one transaction. */
import { turnOf } from '../../../domain/dispatch/fair-turns.ts';
import { entryKindOf } from '../../../domain/jobs/inbox.ts';
import type { Change, Continue, End } from '../../../domain/jobs/run.ts';
import type { NewInboxRow } from '../../ports/inbox.ts';
import type { Decide, Selection } from '../../ports/jobs.ts';
import type { Store } from '../../ports/store.ts';
import type { EndedJob } from '../../ports/triggers.ts';
import { keepBudgets } from '../../retries/retry-budgets.ts';

/** One transaction: lock and load, decide, write. Returns the changes made. */
export function changeRuns(store: Store, selection: Selection, decide: Decide): Promise<Change[]> {
  return store.together(async (tx) => {
    const { runs, nowUs } = await tx.lockRuns(selection);
    const decided = runs.flatMap((run) => decide(run, nowUs) ?? []);
    const changes = await rankFairly(tx, await keepBudgets(tx, decided));
    await writeChanges(tx, changes);
    return changes;
  });
}

async function rankFairly(tx: Store, changes: readonly Change[]): Promise<Change[]> {
  const ranks = await tx.rankFairly(changes.flatMap((change) => turnOf(change) ?? []));
  return changes.map((change) => {
    const rank = ranks.get(change.run.jobId);
    return change.kind === 'continue' && rank !== undefined ? { ...change, rank } : change;
  });
}

async function writeChanges(tx: Store, changes: readonly Change[]): Promise<void> {
  const continuing = changes.filter((change) => change.kind === 'continue');
  const ended = changes.filter((change) => change.kind === 'end');
  const closing = continuing.filter((change) => change.closed);
  if (closing.length > 0) await tx.writeAttempts(closing);
  if (continuing.length > 0) await tx.writeContinues(continuing);
  await tx.inbox.add(continuing.flatMap(entryOf));
  await tx.updateRecords(continuing.filter((change) => change.record));
  if (ended.length > 0 && (await tx.writeEnds(ended))) await tx.triggers.causeByEnds(ended.map(endedJob));
  await tx.waits.leave(ended);
  const waited = ended.filter(({ run }) => run.unmetDependencies > 0);
  await tx.dependencies.drop(waited.map(({ run }) => run.jobId));
  const cleanups = ended.filter((change) => change.cleanup);
  if (cleanups.length > 0) await tx.insertCleanups(cleanups);
  await tx.insertAudits(changes.flatMap(({ audit }) => audit ?? []));
}

function endedJob({ run: { jobId, laneId }, state }: End): EndedJob {
  return { jobId, laneId, state };
}

/** Notifies the workflow, or the batch, that the change starts or stops. */
function entryOf(change: Continue): NewInboxRow[] {
  const kind = entryKindOf(change);
  return kind ? [{ jobId: change.run.jobId, kind }] : [];
}
