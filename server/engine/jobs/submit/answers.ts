/** Converts the store's result of a submission to an answer. */

import { EngineError } from '../../base/errors.ts';
import { membersRefused } from '../../batches/refusals.ts';
import { childrenRefused } from '../../dependencies/children-refused.ts';
import { targetNotFound } from '../../dependencies/resolve.ts';
import type { ParentAttempt } from '../../ports/dependencies.ts';
import type { SubmitResult, SubmittedJob } from '../../ports/submissions.ts';
import { pathsOf, type Submit } from './call.ts';
import { refusalOf } from './rules.ts';

/** The stored jobs, in the order of the call. Throws if the call is refused. */
export function accepted(result: SubmitResult, request: Submit): readonly SubmittedJob[] {
  switch (result.kind) {
    case 'stored':
      return result.jobs;
    case 'requestIdReused':
      throw new EngineError(
        'REQUEST_ID_REUSED',
        'request_id was used for a call with another body; make a new one for each call',
        { field: 'request_id', metadata: { request_id: request.requestId } },
      );
    case 'keysHeld':
    case 'limitsHeld':
      throw new EngineError('CONFLICT', 'other callers kept taking the same keys; try again', { retryAfterMs: 50 });
    case 'limitReached': {
      const path = pathsOf(request.field)(result.index);
      const { maxConcurrency, openCount, openJobIds } = result;
      const [first] = openJobIds;
      const open = first
        ? `has ${openCount}, such as ${first}; try again when one has ended`
        : 'this call has more: submit fewer at once';
      throw new EngineError(
        'LIMIT_REACHED',
        `${path} would be one job too many: its key may have ${maxConcurrency} open, and ${open}`,
        {
          field: path,
          metadata: { max_concurrency: String(maxConcurrency), open_job_ids: openJobIds.join(',') },
        },
      );
    }
    case 'batchRefused':
      throw membersRefused(result);
    case 'targetNotFound': {
      const path = `${pathsOf(request.field)(result.index)}.depends_on[${result.number}]`;
      throw targetNotFound(request.namespace, result.jobId, path);
    }
    case 'dependencyRefused':
      throw result.error;
    case 'childrenRefused':
      throw childrenRefused(request.parentAttempt as ParentAttempt, result.why);
    case 'duplicate':
    case 'throttled':
      throw refusalOf(result, pathsOf(request.field));
    case 'idempotencyConflict': {
      const path = pathsOf(request.field)(result.index);
      const what = result.sameContent ? 'and the conflict policy is FAIL' : 'with other content';
      throw new EngineError(
        'IDEMPOTENCY_CONFLICT',
        `${path}.idempotency_key belongs to job ${result.jobId} already, ${what}`,
        {
          field: `${path}.idempotency_key`,
          metadata: { job_id: result.jobId },
        },
      );
    }
  }
}
