/** Whether a batch takes new members. */
import type { JobState } from '../jobs/job-state.ts';
import type { StopReason } from './batch.ts';
import type { BatchRetry, RetryPage } from './batch-retry.ts';

/** `RETRY`: a retry takes only another batch's members. `PAGE_DONE`: another replica has stored the page. */
export type MembersRefused = 'NOT_FOUND' | 'SEALED' | 'CANCELLED' | 'ENDED' | 'FULL' | 'RETRY' | 'PAGE_DONE';

export interface Membership {
  readonly isSealed: boolean;
  readonly stopReason: StopReason;
  /** Undefined: the batch retries no other batch. */
  readonly retry: BatchRetry | undefined;
}

/** `state`: of the batch's job; undefined: it has ended. `page`: of a retry, stored with the members. */
export function whyRefused(
  { isSealed, stopReason, retry }: Membership,
  state: JobState | undefined,
  page: RetryPage | undefined,
): MembersRefused | undefined {
  if (stopReason === 'CANCELLED' || state === 'CANCELLING') return 'CANCELLED';
  if (stopReason === 'FAILED') return 'ENDED';
  if (isSealed) return 'SEALED';
  if (state === undefined) return 'ENDED';
  if (retry && !page) return 'RETRY';
  return retry?.nextItem === page?.fromItem ? undefined : 'PAGE_DONE';
}
