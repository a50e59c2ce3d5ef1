/** What happens to new jobs of a key whose number of open jobs has reached its limit. */
import type { JobState } from '../jobs/job-state.ts';
import type { LimitPolicy } from './limits.ts';

export interface OpenJob {
  readonly jobId: string;
  readonly state: JobState;
}

export interface OpenOfKey {
  /** All, or those of many that a policy cancels first: the oldest, and the oldest that wait. */
  readonly jobs: readonly OpenJob[];
  readonly openCount: number;
  /** Without those that are being cancelled. */
  readonly liveCount: number;
}

export const noneOpen: OpenOfKey = { jobs: [], openCount: 0, liveCount: 0 };

export type LimitVerdict =
  | { readonly kind: 'store' }
  | { readonly kind: 'refuse' }
  /** Cancel these jobs first. */
  | { readonly kind: 'cancel'; readonly jobIds: readonly string[] };

const waitingStates: ReadonlySet<JobState> = new Set(['BLOCKED', 'SCHEDULED', 'READY', 'PAUSED']);

/** `open`: of the key. `added`: the number of jobs to store. */
export function judgeLimit(policy: LimitPolicy, maxConcurrency: number, open: OpenOfKey, added: number): LimitVerdict {
  if (policy === 'WAIT' || open.openCount + added <= maxConcurrency) return { kind: 'store' };
  if (policy === 'REJECT_NEW' || added > maxConcurrency) return { kind: 'refuse' };
  const jobIds = policy === 'CANCEL_OLDEST' ? oldest(open, maxConcurrency - added) : waiting(open.jobs);
  return jobIds.length > 0 ? { kind: 'cancel', jobIds } : { kind: 'store' };
}

/** All but the newest `stay` jobs. Jobs that are already being cancelled free capacity without another request. */
function oldest({ jobs, liveCount }: OpenOfKey, stay: number): string[] {
  const ids = jobs.filter(({ state }) => state !== 'CANCELLING').map(({ jobId }) => jobId);
  return ids.sort().slice(0, Math.max(0, liveCount - stay));
}

function waiting(open: readonly OpenJob[]): string[] {
  return open.filter(({ state }) => waitingStates.has(state)).map(({ jobId }) => jobId);
}
