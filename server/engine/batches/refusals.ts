/** Errors for a batch that refuses new members or a retry. */
import { MAX_MEMBERS } from '../../domain/batches/batch.ts';
import type { MembersRefused } from '../../domain/batches/membership.ts';
import { EngineError, type ErrorReason } from '../base/errors.ts';
import type { BatchRefusal } from '../ports/submissions.ts';

export function batchNotFound(jobId: string): EngineError {
  return new EngineError('BATCH_NOT_FOUND', `the namespace has no batch ${jobId}; CreateBatch makes one`, {
    metadata: { job_id: jobId },
  });
}

const refusals: Readonly<Record<Exclude<MembersRefused, 'NOT_FOUND'>, readonly [reason: ErrorReason, text: string]>> = {
  SEALED: ['BATCH_SEALED', 'was sealed and takes no more members; make another batch for them'],
  CANCELLED: ['BATCH_CANCELLED', 'was cancelled and takes no more members; make another batch for them'],
  ENDED: ['BATCH_ENDED', 'has ended, or is about to, and takes no more members; make another batch for them'],
  RETRY: ['BATCH_SEALED', 'retries another batch and takes no other members; make a batch of its own for them'],
  PAGE_DONE: ['CONFLICT', 'has these members already'],
  FULL: ['BATCH_FULL', `may have ${MAX_MEMBERS} members; seal it, and make another batch for the rest`],
};

export function membersRefused({ jobId, why, members }: BatchRefusal): EngineError {
  if (why === 'NOT_FOUND') return batchNotFound(jobId);
  const [reason, text] = refusals[why];
  return new EngineError(reason, `batch_job_id: batch ${jobId} ${text}`, {
    field: 'batch_job_id',
    metadata: { job_id: jobId, members: String(members) },
  });
}

export function nothingToRetry(jobId: string): EngineError {
  const text = `no member of batch ${jobId} has failed, been cancelled or expired: there is nothing to retry`;
  return new EngineError('NOTHING_TO_RETRY', text, { metadata: { job_id: jobId } });
}

export function batchRetried(jobId: string, retryJobId: string): EngineError {
  const text = `batch ${jobId} was retried as batch ${retryJobId}: once that one has ended, retry it for the members that failed again`;
  return new EngineError('BATCH_RETRIED', text, { metadata: { job_id: jobId, retry_job_id: retryJobId } });
}

export function batchErased(jobId: string): EngineError {
  const text = `batch ${jobId} was erased, and with it the data for a retry; RetryJobs retries its members one by one`;
  return new EngineError('JOB_ERASED', text, { metadata: { job_id: jobId } });
}
