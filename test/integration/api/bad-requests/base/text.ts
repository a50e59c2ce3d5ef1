/** Control characters in every text field. */
import { add, beat, cancelJob, define, job, open, report, UUID } from './builder.ts';

// --- B11: NUL and C0 and C1 controls in every text field
for (const [name, char] of [
  ['NUL', '\u0000'],
  ['BEL', '\u0007'],
  ['DEL', '\u007f'],
  ['C1', '\u0085'],
] as const) {
  const text = `a${char}b`;
  job('B11', `${name} in a label`, { labels: { key: text } }, 'job.labels');
  job('B11', `${name} in the idempotency key`, { idempotencyKey: text }, 'job.idempotency_key');
  job('B11', `${name} in the content type`, { input: { contentType: text } }, 'job.input.content_type');
  job('B11', `${name} in metadata`, { input: { metadata: { key: text } } }, 'job.input.metadata');
  job('B11', `${name} in a key of metadata`, { input: { metadata: { [text]: 'x' } } }, 'job.input.metadata');
  job('B11', `${name} in the trace state`, { tracestate: text }, 'job.tracestate');
  job(
    'B11',
    `${name} in a failure type`,
    { retryPolicy: { nonRetryableTypes: [text] } },
    'job.retry_policy.non_retryable_types',
  );
  define('B11', `${name} in the description`, { description: text }, 'definition.description');
  open('B11', `${name} in the SDK's version`, { sdk: { version: text } }, 'sdk.version');
  open('B11', `${name} in a resource`, { resources: { [text]: 1 } }, 'resources');
  add('B11', `${name} in a reason`, cancelJob, ({ jobId }) => ({ jobId, reason: text }), ['reason']);
  beat(
    'B11',
    `${name} in progress`,
    { progress: [{ jobId: UUID, progress: { message: text } }] },
    'progress[0].progress.message',
  );
  report(
    'B11',
    `${name} in a result's type`,
    { outcome: { case: 'result', value: { contentType: text } } },
    'reports[0].result.content_type',
  );
}
