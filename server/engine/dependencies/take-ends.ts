/** Ends and publications of the job inbox, taken together with the dependencies that they settle. */
import { type EndEntry, edgesOf, settleDependents } from '../../domain/dependencies/settle.ts';
import { MAX_END_EDGES, MAX_END_ENTRIES } from '../../domain/jobs/inbox.ts';
import type { TakenEnds } from '../ports/inbox.ts';
import type { Store } from '../ports/store.ts';

/**
 * Within a transaction. Locks jobs in the order of their ids, as every change of jobs does. A job that has ended
 * meanwhile has no edges.
 */
export async function takeEnds({ inbox, dependencies }: Store): Promise<TakenEnds> {
  const found = await inbox.takeEntriesOfEnds();
  if (found.length === 0) return { settled: [], isMore: false, succeeded: [], orphaned: [] };
  const edges = edgesOf(found);
  const [locked, taken] =
    edges.length === 0
      ? [[], []]
      : await Promise.all([
          dependencies.lockDependents([...new Set(edges.map(({ jobId }) => jobId))]),
          dependencies.takeEdges(edges),
        ]);
  const { settled, met } = settleDependents(locked, taken, found);
  await dependencies.keepPublishers(taken);
  if (met.length > 0) await dependencies.lowerUnmet(met);
  const entries = [...new Map(found.map((entry) => [entry.rowId, entry])).values()];
  const dropped = new Set(await inbox.dropEntriesOfEnds(entries.map(({ rowId }) => rowId)));
  const left = entries.filter(({ rowId }) => !dropped.has(rowId));
  return {
    settled,
    isMore: found.length >= MAX_END_EDGES || entries.length >= MAX_END_ENTRIES || left.length > 0,
    succeeded: entries.filter(({ rowId }) => dropped.has(rowId)).flatMap(succeededOf),
    orphaned: left.flatMap(({ kind, subjectId, laneId }) =>
      kind === 'JOB_ENDED' ? [{ jobId: subjectId, laneId: laneId as number }] : [],
    ),
  };
}

function succeededOf({ kind, state, subjectId, laneId, timeUs }: EndEntry): TakenEnds['succeeded'] {
  if (kind !== 'JOB_ENDED' || state !== 'SUCCEEDED') return [];
  return [{ jobId: subjectId, laneId: laneId as number, endTimeUs: timeUs }];
}
