/** Dependencies of jobs that wait already. */
import type { Dependency } from '../../domain/dependencies/dependencies.ts';
import type { LinkedJob } from '../ports/dependencies.ts';
import type { Store } from '../ports/store.ts';
import { linkAll } from './link-targets.ts';

/** Within a transaction: locks an open job and the targets of its new dependencies. */
export async function linkOne(
  tx: Store,
  namespace: string,
  jobId: string,
  dependencies: readonly Dependency[],
): Promise<LinkedJob> {
  const [links = []] = await linkAll(tx, namespace, [dependencies], [jobId]);
  const { count } = await tx.dependencies.readLastNumber(jobId);
  return { count, links };
}

/** Within the transaction that has locked the job. */
export async function addEdges(
  { dependencies: store }: Store,
  namespace: string,
  jobId: string,
  dependencies: readonly Dependency[],
): Promise<void> {
  const { last } = await store.readLastNumber(jobId);
  await store.insertEdges(namespace, [{ jobId, first: last + 1, dependencies }]);
}
