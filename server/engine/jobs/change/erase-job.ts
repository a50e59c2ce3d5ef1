/**
 * Erases the personal data of an ended job, with the audit record of it, in one transaction. The job's clean-up has a
 * copy of its input, and is erased with it.
 */
import { systemFailure } from '../../../domain/base/payload.ts';
import type { JobState } from '../../../domain/jobs/job-state.ts';
import type { Erased, Erasure, JobEnd, LockedRecord } from '../../ports/jobs.ts';
import type { Store } from '../../ports/store.ts';

interface LockedJob extends LockedRecord, JobEnd {
  readonly jobId: string;
}

export function eraseJob(store: Store, erasure: Erasure): Promise<Erased> {
  return store.together(async (tx) => {
    const job = await lockJob(tx, erasure.jobId);
    if (job?.namespace !== erasure.namespace) return { kind: 'missing' };
    if (job.state === undefined) return { kind: 'open', state: job.openState as JobState };
    // Undefined also if it has been deleted: its retention may be shorter.
    const cleanup = job.cleanupJobId === undefined ? undefined : await lockJob(tx, job.cleanupJobId);
    if (cleanup && cleanup.state === undefined)
      return { kind: 'open', state: cleanup.openState as JobState, cleanupJobId: cleanup.jobId };
    const auditId = job.eraseAuditId ?? erasure.auditId;
    for (const one of [job, cleanup]) if (one) await eraseOne(tx, one, { ...erasure, auditId });
    return { kind: 'erased', auditId };
  });
}

async function lockJob(tx: Store, jobId: string): Promise<LockedJob | undefined> {
  const record = await tx.lockRecord(jobId);
  return record && { ...record, ...(await tx.readEnd(jobId)), jobId };
}

/** Does nothing if the job was erased before. */
async function eraseOne(tx: Store, job: LockedJob, erasure: Erasure): Promise<void> {
  if (job.eraseAuditId !== undefined) return;
  const { jobId, failure, idempotencyKey } = job;
  const erased = failure && systemFailure(failure.failureCause, 'Erased', 'erased on demand');
  await tx.eraseData({ ...erasure, jobId, failure: erased, idempotencyKey });
}
