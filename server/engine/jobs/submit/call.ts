/** A call that submits jobs, and the paths of its parts. */
import type { ManualChange } from '../../ports/audit.ts';
import type { ParentAttempt } from '../../ports/dependencies.ts';
import type { MemberCall, Submission } from '../../ports/submissions.ts';

export interface Submit extends MemberCall {
  readonly namespace: string;
  /** Empty: none. */
  readonly requestId: string;
  readonly bodyHash: Uint8Array;
  readonly submissions: readonly Submission[];
  /** Path of what is submitted in the request, for errors. */
  readonly field: 'job' | 'jobs' | 'job_id';
  /** It goes on however much waits: what it is for would be lost. */
  readonly ignoresBounds?: boolean;
  /** The attempt whose handler submits them. Left out: none. */
  readonly parentAttempt?: ParentAttempt | undefined;
  /** What is done by hand with the job of that id, the only one. Left out: nothing. */
  readonly manual?: ((jobId: string) => ManualChange) | undefined;
}

export function pathsOf(field: Submit['field']): (index: number) => string {
  return field === 'jobs' ? (index) => `jobs[${index}]` : () => field;
}
