/** The idempotency keys of a call, each with the hash of its submission. */
import { createHash } from 'node:crypto';
import type { IdempotencyKey } from '../../../domain/jobs/idempotency-key.ts';
import { EngineError } from '../../base/errors.ts';
import type { Submission } from '../../ports/submissions.ts';

/** One for each submission that has a key. Throws INVALID_FIELD if two are equal. */
export function keysOf(submissions: readonly Submission[], field: string): IdempotencyKey[] {
  const keys = submissions.flatMap((submission, index) =>
    submission.idempotencyKey
      ? [
          {
            index,
            key: submission.idempotencyKey,
            contentHash: contentHash(submission),
            policy: submission.conflictPolicy,
          },
        ]
      : [],
  );
  refuseRepeatedKeys(keys, field);
  return keys;
}

/**
 * The hash covers the request, including its times. It leaves out the trace context and the sticky worker, which may
 * differ between two tries.
 */
function contentHash(submission: Submission): Uint8Array {
  const { input, labels, traceparent: _, tracestate: __, conflictPolicy: ___, keepTo: ____, ...rest } = submission;
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify([rest, sorted, input.contentType, input.metadata ?? null]));
  return hash.update(input.data).digest();
}

function refuseRepeatedKeys(keys: readonly IdempotencyKey[], field: string): void {
  const seen = new Map<string, number>();
  for (const { key, index } of keys) {
    const first = seen.get(key);
    if (first !== undefined) {
      throw new EngineError(
        'INVALID_FIELD',
        `${field}[${index}].idempotency_key is the same as that of ${field}[${first}]`,
        { field: `${field}[${index}].idempotency_key` },
      );
    }
    seen.set(key, index);
  }
}
