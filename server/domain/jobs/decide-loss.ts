/** Applies a retry policy's rules and limits to a lost attempt. */

import type { RetryPolicy } from '../retries/retry-policy.ts';
import { judgeLoss } from '../retries/retry-verdict.ts';
import { continueAs, end, type Moment, requeue } from './decide.ts';
import type { Change } from './run.ts';

/**
 * `usual` is the change without a policy. If it ends the job, or closes no attempt, it stays as it is. `charged` is
 * false for a mass lapse: rules may still end or pause the job, but the attempt does not count.
 */
export function decideLoss(usual: Change, policy: RetryPolicy, moment: Moment, charged = true): Change {
  if (usual.kind === 'end') return usual;
  const { kind: _, event, run, state: __, rank: ___, dueTimeUs: ____, closed, ...kept } = usual;
  if (!closed?.failure) return usual;
  const verdict = judgeLoss(run, closed.failure, policy, charged, moment);
  const { attemptCount, failures } = verdict;
  if (verdict.kind === 'none') return { ...usual, failures };
  const { reason } = verdict;
  if (verdict.kind === 'stop') return end(event, run, 'FAILED', { failure: verdict.failure, attemptCount, reason });
  const counted = attemptCount > run.attemptCount;
  const rest = { ...kept, attemptCount, failures, reason, closed: { ...closed, counted } };
  if (verdict.kind === 'pause')
    return continueAs(event, run, { state: 'PAUSED', dueTimeUs: run.limits.deadlineUs, ...rest });
  return requeue(event, run, verdict.delayMs, moment.nowUs, rest);
}
