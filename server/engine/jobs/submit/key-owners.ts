/** Takes the idempotency keys of a call, and finds the jobs that hold them. */
import type { KeyOwners } from '../../../domain/jobs/idempotency-key.ts';
import type { Store } from '../../ports/store.ts';
import type { Insertion, SubmitCall } from '../../ports/submissions.ts';

/** Takes free keys, and keys of jobs that the call replaces. Returns the owner of each key. */
export async function takeKeys(tx: Store, call: SubmitCall): Promise<KeyOwners> {
  if (call.keys.length === 0) return new Map();
  await tx.insertIdempotencyKeys(call);
  if (call.keys.some((key) => key.replacedJobId)) await tx.takeOverIdempotencyKeys(call);
  return readOwners(tx, call);
}

export function readOwners(store: Store, { namespace, keys }: SubmitCall): Promise<KeyOwners> {
  return store.readKeyOwners(
    namespace,
    keys.map(({ key }) => key),
  );
}

/** Replaces jobs that already exist with the holders of their keys. */
export function withOwners(
  call: SubmitCall,
  owners: KeyOwners,
  isStored: (jobId: string) => boolean = () => false,
): Insertion {
  const jobIds = call.jobs.map(({ jobId, idempotencyKey }) =>
    idempotencyKey && !isStored(jobId) ? (owners.get(idempotencyKey)?.jobId ?? jobId) : jobId,
  );
  const existing = call.jobs.map((job, i) => jobIds[i] !== job.jobId);
  return { call, jobs: call.jobs.filter((_, i) => !existing[i]), jobIds, existing };
}
