/** Applies a retry policy's rules and limits to a lost attempt. */

import type { RetryPolicy } from '../retries/retry-policy.ts';
import { exhaustedReason, judgeLoss } from '../retries/retry-verdict.ts';
import { end, type Moment, pauseForPerson, requeue } from './decide.ts';
import type { Change, End } from './run.ts';

/**
 * `usual` is the change without a policy. It stays as it is if it closes no attempt, and if it ends the job, unless the
 * policy wants a pause instead. `charged` is false for a mass lapse: rules may still end or pause the job, but the
 * attempt does not count.
 */
export function decideLoss(usual: Change, policy: RetryPolicy, moment: Moment, charged = true): Change {
  if (usual.kind === 'end') return unlessPaused(usual, policy);
  const { kind: _, event, run, state: __, rank: ___, dueTimeUs: ____, closed, ...kept } = usual;
  if (!closed?.failure) return usual;
  const verdict = judgeLoss(run, closed.failure, policy, charged, moment);
  const { attemptCount, failures } = verdict;
  if (verdict.kind === 'none') return { ...usual, failures };
  const { reason } = verdict;
  if (verdict.kind === 'stop') return end(event, run, 'FAILED', { failure: verdict.failure, attemptCount, reason });
  const counted = attemptCount > run.attemptCount;
  const rest = { ...kept, attemptCount, failures, reason, closed: { ...closed, counted } };
  if (verdict.kind === 'pause') return pauseForPerson(event, run, { ...rest, exhausted: verdict.exhausted });
  return requeue(event, run, verdict.delayMs, moment.nowUs, rest);
}

function unlessPaused(usual: End, policy: RetryPolicy): Change {
  const { exhausted: closed, event, run, reason } = usual;
  if (!closed || policy.onExhaustion !== 'PAUSE') return usual;
  return pauseForPerson(event, run, { closed, reason: exhaustedReason(reason ?? ''), exhausted: true });
}
