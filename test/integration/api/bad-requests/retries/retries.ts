/** Retry policies with wrong settings. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Backoff, type RetryPolicySchema, type RetryRuleSchema } from '@muster-jobs/sdk/gen/muster/v1/retry_policy_pb';
import { define, job } from '../base/builder.ts';

type Policy = MessageInitShape<typeof RetryPolicySchema>;
type Rule = MessageInitShape<typeof RetryRuleSchema>;

function policy(row: string, what: string, retryPolicy: Policy, field: string): void {
  define(row, what, { retryPolicy }, `definition.retry_policy.${field}`);
  job(row, what, { retryPolicy }, `job.retry_policy.${field}`);
}

function rule(row: string, what: string, change: Rule, field: string): void {
  policy(row, what, { rules: [{ action: 1 }, { action: 1, ...change }] }, `rules[1].${field}`);
}

const month = { seconds: 30n * 86_400n };
const overMonth = { seconds: 30n * 86_400n, nanos: 1_000_000 };

for (const value of [99, -1]) {
  policy('B12', `backoff ${value}`, { backoff: value as Backoff }, 'backoff');
  policy('B12', `jitter ${value}`, { jitter: value as 1 }, 'jitter');
  rule('B12', `retry action ${value}`, { action: value as 1 }, 'action');
  rule('B12', `retry cause ${value}`, { causes: [value as 1] }, 'causes');
}
rule('', 'a retry rule without an action', { action: 0 as 1 }, 'action');
rule('B12', 'the cause that stands for none', { causes: [0 as 1] }, 'causes');
rule('', 'five causes', { causes: [1, 2, 3, 4, 1] }, 'causes');

policy('', 'a list of no delays', { backoff: Backoff.LIST }, 'delays');
policy('', 'delays that nothing reads', { delays: [{ seconds: 1n }] }, 'delays');
policy('', 'delays with a constant backoff', { backoff: Backoff.CONSTANT, delays: [{ seconds: 1n }] }, 'delays');
policy('', '101 delays', { backoff: Backoff.LIST, delays: Array.from({ length: 101 }, () => ({})) }, 'delays');
policy('B17', 'a negative delay', { backoff: Backoff.LIST, delays: [{}, { seconds: -1n }] }, 'delays[1]');
policy('B18', 'a delay over 30 days', { backoff: Backoff.LIST, delays: [month, overMonth] }, 'delays[1]');

policy('', '21 retry rules', { rules: Array.from({ length: 21 }, () => ({ action: 1 })) }, 'rules');
rule('B17', 'a negative delay of a rule', { delay: { nanos: -1 } }, 'delay');
rule('B18', 'a delay of a rule over 30 days', { delay: overMonth }, 'delay');
rule('', 'a delay before the end', { action: 2, delay: { seconds: 1n } }, 'delay');
rule('', 'a delay of a pause', { action: 4, delay: { seconds: 1n } }, 'delay');
for (const code of [0, -1, 256, 2 ** 31 - 1]) rule('', `exit code ${code}`, { exitCodes: [1, code] }, 'exit_codes');
rule('', '256 exit codes', { exitCodes: Array.from({ length: 256 }, () => 1) }, 'exit_codes');
rule('', '65 types', { types: Array.from({ length: 65 }, () => 'x') }, 'types');
rule('', 'a type of 257 characters', { types: ['x'.repeat(257)] }, 'types');
rule('', 'a type with a control character', { types: ['a\u0000'] }, 'types');

for (const limit of [-1, 1_001, 2 ** 31 - 1]) {
  policy('B20', `limit ${limit} of time-outs`, { limits: { timeout: limit } }, 'limits.timeout');
  policy('B20', `limit ${limit} of lost workers`, { limits: { lostWorker: limit } }, 'limits.lost_worker');
}
