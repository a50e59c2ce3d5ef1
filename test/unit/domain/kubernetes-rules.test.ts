/** Pod failure policies of Kubernetes as retry rules: ordered, first match wins, no match counts, Ignore does not. */
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../server/domain/base/payload.ts';
import type { RetryPolicy } from '../../../server/domain/retries/retry-policy.ts';
import type { RetryRule } from '../../../server/domain/retries/retry-rules.ts';
import { failed, LAPSE, play, policyOf } from './support/failing-job.ts';

const exit = (exitCode: number, changes: Partial<Failure> = {}) => failed({ exitCode, ...changes });
/** A pod with the condition DisruptionTarget: evicted, preempted, or on a drained machine. */
const disrupted = exit(137, { failureCause: 'INFRASTRUCTURE', type: 'Evicted' });

// The Kubernetes action and its equivalent: FailJob is FAIL, Ignore is IGNORE, Count is RETRY.
const failJobOn42: RetryRule = { exitCodes: [42], action: 'FAIL' };
const ignoreDisruption: RetryRule = { causes: ['INFRASTRUCTURE'], action: 'IGNORE' };
const countDisruption: RetryRule = { causes: ['INFRASTRUCTURE'], action: 'RETRY' };
const ignore137: RetryRule = { exitCodes: [137, 143], action: 'IGNORE' };

type Row = [string, RetryRule[], (Failure | typeof LAPSE)[], { state: string; counted: number; by?: number }];

const rows: Row[] = [
  ['no rules: every failure counts', [], [exit(1), exit(1)], { state: 'SCHEDULED', counted: 2 }],
  ['no match: the failure counts', [failJobOn42], [exit(1)], { state: 'SCHEDULED', counted: 1 }],
  ['FailJob on an exit code', [failJobOn42], [exit(1), exit(42)], { state: 'FAILED', counted: 2, by: 1 }],
  ['an exit code in a list', [ignore137], [exit(143)], { state: 'SCHEDULED', counted: 0, by: 1 }],
  ['an exit code outside the list', [ignore137], [exit(138)], { state: 'SCHEDULED', counted: 1 }],
  ['a failure without an exit code', [ignore137], [failed()], { state: 'SCHEDULED', counted: 1 }],
  ['DisruptionTarget, ignored', [ignoreDisruption], [disrupted], { state: 'SCHEDULED', counted: 0, by: 1 }],
  ['DisruptionTarget, counted', [countDisruption], [disrupted], { state: 'SCHEDULED', counted: 1, by: 1 }],
  [
    'the first of two that match wins',
    [failJobOn42, { exitCodes: [42], action: 'IGNORE' }],
    [exit(42)],
    { state: 'FAILED', counted: 1, by: 1 },
  ],
  [
    'the order decides between a code and a disruption',
    [ignoreDisruption, { exitCodes: [137], action: 'FAIL' }],
    [disrupted],
    { state: 'SCHEDULED', counted: 0, by: 1 },
  ],
  [
    'the same two the other way round',
    [{ exitCodes: [137], action: 'FAIL' }, ignoreDisruption],
    [disrupted],
    { state: 'FAILED', counted: 0, by: 1 },
  ],
  [
    'both conditions of a rule must hold',
    [{ exitCodes: [137], causes: ['APPLICATION'], action: 'FAIL' }],
    [disrupted],
    { state: 'SCHEDULED', counted: 0 },
  ],
  [
    'the last rule may catch the rest',
    [ignore137, { action: 'FAIL' }],
    [exit(1)],
    { state: 'FAILED', counted: 1, by: 2 },
  ],
  [
    'ignored failures leave the back-off limit alone',
    [ignore137],
    [exit(137), exit(1), exit(137), exit(1), exit(137)],
    { state: 'SCHEDULED', counted: 2, by: 1 },
  ],
  [
    'the back-off limit ends what counts',
    [ignore137],
    [exit(137), exit(1), exit(1), exit(137), exit(1), exit(1), exit(1)],
    { state: 'FAILED', counted: 4 },
  ],
  ['a lost machine does not count', [], [LAPSE, LAPSE], { state: 'SCHEDULED', counted: 0 }],
  [
    'unless a rule says so',
    [{ causes: ['LOST_WORKER'], action: 'RETRY' }],
    [LAPSE, LAPSE],
    { state: 'SCHEDULED', counted: 2, by: 1 },
  ],
];

describe('a job with maxAttempts of 4', () => {
  it.each(rows)('ends as in Kubernetes in the case "%s"', (_what, rules, happens, { state, counted, by }) => {
    const policy: RetryPolicy = policyOf({ maxAttempts: 4, ...(rules.length > 0 ? { rules } : {}) });
    const { last } = play(policy, ...happens);
    expect(last).toMatchObject({ state, attemptCount: counted });
    if (by) expect(last.reason).toContain(`retry rule ${by}`);
    else expect(last.reason).not.toContain('retry rule');
  });
});

describe('ignored attempts', () => {
  const ignoreAll = policyOf({ rules: [{ action: 'IGNORE', delayMs: 5 }] });

  it('end the job at the hundredth, together with lost ones', () => {
    const mixed = Array.from({ length: 120 }, (_, i) => (i % 10 === 0 ? LAPSE : exit(1, { message: `no ${i}` })));
    const { last, waitsMs } = play(ignoreAll, ...mixed);
    expect(waitsMs).toHaveLength(99);
    expect(last).toMatchObject({
      kind: 'end',
      state: 'FAILED',
      attemptCount: 0,
      failure: { failureCause: 'LOST_TOO_OFTEN', cause: { message: 'no 99' } },
    });
  });
});
