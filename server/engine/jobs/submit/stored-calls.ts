/** Answers to calls: as they are stored now, or as an earlier call with their request id was. */
import type { Store } from '../../ports/store.ts';
import type { Insertion, RequestName, StoredCall, SubmitCall, SubmitResult } from '../../ports/submissions.ts';

export type StoredResult = SubmitResult & { readonly kind: 'stored' };

export const noRanks: ReadonlyMap<string, number> = new Map();

export function stored(
  { jobIds, existing }: Pick<Insertion, 'jobIds' | 'existing'>,
  assigned: ReadonlySet<string> = new Set(),
  ranks: ReadonlyMap<string, number> = noRanks,
): StoredResult {
  const jobs = jobIds.map((jobId, i) => ({
    jobId,
    existing: existing[i] ?? false,
    assigned: assigned.has(jobId),
    rank: ranks.get(jobId),
  }));
  return { kind: 'stored', jobs };
}

/** The key of a call's request id. Unique, since a namespace has no slash. */
export function requestKey({ namespace, requestId }: RequestName): string {
  return `${namespace}/${requestId}`;
}

/** The answer to a repeated request id, or that another call has used it. */
export function repeated(call: Pick<SubmitCall, 'bodyHash'>, before: StoredCall): SubmitResult {
  if (Buffer.compare(before.bodyHash, call.bodyHash ?? new Uint8Array()) !== 0) return { kind: 'requestIdReused' };
  const { jobIds, existing } = before;
  const { kind, jobs } = stored({ jobIds, existing: jobIds.map(() => true) });
  return { kind, jobs: jobs.map((job, i) => (existing[i] ? { ...job, duplicate: true } : job)), repeated: true };
}

export async function findSubmission(
  store: Store,
  call: RequestName & Pick<SubmitCall, 'bodyHash'>,
): Promise<SubmitResult | undefined> {
  if (!call.requestId) return undefined;
  const [before] = await store.readStoredCalls([call]);
  return before && repeated(call, before);
}
