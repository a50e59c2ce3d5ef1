/** A call that submits jobs, and the paths of its parts. */

import type { ParentAttempt } from '../../ports/dependencies.ts';
import type { ManualChange } from '../../ports/namespaces.ts';
import type { MemberCall, Submission } from '../../ports/submissions.ts';

export interface Submit extends MemberCall {
  readonly namespace: string;
  /** Empty: none. */
  readonly requestId: string;
  readonly bodyHash: Uint8Array;
  readonly submissions: readonly Submission[];
  /** Path of the submissions in the request, for errors. */
  readonly field: 'job' | 'jobs' | 'job_id';
  /** Admits the jobs even to full queues: for jobs that would be lost otherwise. */
  readonly ignoresBounds?: boolean;
  /** The attempt whose handler submits them. Undefined: none. */
  readonly parentAttempt?: ParentAttempt | undefined;
  /** A manual change stored with the call's only job, whose id it gets. Undefined: none. */
  readonly manual?: ((jobId: string) => ManualChange) | undefined;
}

export function pathsOf(field: Submit['field']): (index: number) => string {
  return field === 'jobs' ? (index) => `jobs[${index}]` : () => field;
}
