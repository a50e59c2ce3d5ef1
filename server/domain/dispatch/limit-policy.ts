/** What happens to new jobs of a key whose number of open jobs has reached its limit. */
import type { JobState } from '../jobs/job-state.ts';
import type { LimitPolicy } from './limits.ts';

export interface OpenJob {
  readonly jobId: string;
  readonly state: JobState;
}

export type LimitVerdict =
  | { readonly kind: 'store' }
  | { readonly kind: 'refuse' }
  /** Cancel these jobs first. */
  | { readonly kind: 'cancel'; readonly jobIds: readonly string[] };

const waitingStates: ReadonlySet<JobState> = new Set(['BLOCKED', 'SCHEDULED', 'READY', 'PAUSED']);

/** `open`: the key's open jobs. `added`: the number of jobs to store. */
export function judgeLimit(
  policy: LimitPolicy,
  maxConcurrency: number,
  open: readonly OpenJob[],
  added: number,
): LimitVerdict {
  if (policy === 'WAIT' || open.length + added <= maxConcurrency) return { kind: 'store' };
  if (policy === 'REJECT_NEW' || added > maxConcurrency) return { kind: 'refuse' };
  const jobIds = policy === 'CANCEL_OLDEST' ? oldest(open, maxConcurrency - added) : waiting(open);
  return jobIds.length > 0 ? { kind: 'cancel', jobIds } : { kind: 'store' };
}

/** All but the newest `stay` jobs. Jobs that are already being cancelled free capacity without another request. */
function oldest(open: readonly OpenJob[], stay: number): string[] {
  const ids = open.filter(({ state }) => state !== 'CANCELLING').map(({ jobId }) => jobId);
  return ids.sort().slice(0, Math.max(0, ids.length - stay));
}

function waiting(open: readonly OpenJob[]): string[] {
  return open.filter(({ state }) => waitingStates.has(state)).map(({ jobId }) => jobId);
}
