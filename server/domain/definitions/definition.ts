/** Job definitions as the core sees them: every default filled in, every span in milliseconds. */

import type { Demands } from '../dispatch/demands.ts';
import type { DefinitionLimits, KeyLimit, RateLimit } from '../dispatch/limits.ts';
import type { SubmissionRules } from '../jobs/submission-rule.ts';
import type { TimeLimits } from '../jobs/time-limits.ts';
import type { CircuitBreaker } from '../retries/circuit-breaker.ts';
import type { RetryBudget, RetryPolicy } from '../retries/retry-policy.ts';
import type { WaitBody } from '../signals/wait.ts';
import type { Workflow } from '../workflows/workflow.ts';

/** What a payload must be. */
export type PayloadSchema =
  | { readonly kind: 'json'; readonly text: string }
  /** The file descriptor set in base64: definitions are kept as JSON. */
  | { readonly kind: 'protobuf'; readonly fileDescriptorSet: string; readonly messageType: string };

export type LeaseLossAction = 'ABORT' | 'CONTINUE';

export interface JobDefinition extends SubmissionRules {
  readonly namespace: string;
  readonly name: string;
  readonly version: number;
  /** Empty: it is a workflow or a wait. */
  readonly handler: string;
  /** Left out: it is a task. */
  readonly workflow?: Workflow;
  /** Set: its jobs wait for this, and no worker has them. */
  readonly wait?: WaitBody;
  /** What runs after a cancelled job that had been started. Left out: nothing. */
  readonly cleanup?: { readonly handler: string; readonly timeoutMs: number };
  readonly queue: string;
  readonly retryPolicy: RetryPolicy;
  /** Left out: retries have no bound together. */
  readonly retryBudget?: RetryBudget;
  /** Left out: nothing holds its jobs back. */
  readonly circuitBreaker?: CircuitBreaker;
  /** Expression that gives each job its fairness key. Left out: none. */
  readonly fairnessKey?: string;
  /** Of all versions together; of this and the other limits the newest version's holds. Left out: no limit. */
  readonly maxConcurrency?: number;
  readonly rateLimit?: RateLimit;
  /** Units that an attempt takes of rate limits. Left out: 1. */
  readonly rateCost?: number;
  readonly keyLimit?: KeyLimit;
  /** Data assets that each success of its jobs publishes. Left out: none. */
  readonly publishes?: readonly string[];
  readonly runTimeoutMs: number;
  /** Left out: none, as in what older releases stored. */
  readonly timeLimits?: TimeLimits;
  readonly cancelGraceMs: number;
  readonly leaseLossAction: LeaseLossAction;
  readonly demands: Demands;
  readonly priority: number;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  /** How long its ended jobs are kept. Left out: as its namespace says. */
  readonly retentionMs?: number;
  /** Left out: anything goes. */
  readonly inputSchema?: PayloadSchema | undefined;
  readonly outputSchema?: PayloadSchema | undefined;
  /** Microseconds since 1970 on the database's clock. */
  readonly createTimeUs: number;
  /** When the definition, in all its versions, was archived; undefined: it is not, or nobody asked. */
  readonly archiveTimeUs?: number | undefined;
}

/** What its newest version says for the jobs of all; undefined: nothing. */
export function limitsOf(definition: JobDefinition): DefinitionLimits | undefined {
  const { maxConcurrency, rateLimit, rateCost, keyLimit } = definition;
  const { key: _, ...perKey } = keyLimit ?? {};
  const limits = {
    ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
    ...(rateLimit ? { rateLimit } : {}),
    ...(rateCost === undefined ? {} : { rateCost }),
    ...(keyLimit ? { keyLimit: perKey } : {}),
  };
  return Object.keys(limits).length > 0 ? limits : undefined;
}

export const definitionDefaults = {
  queue: 'default',
  runTimeoutMs: 3_600_000,
  cancelGraceMs: 30_000,
  cleanupTimeoutMs: 300_000,
  retentionMs: 7 * 86_400_000,
  retryBudgetMinPerMinute: 10,
  breakerWindowMs: 60_000,
  breakerOpenDurationMs: 30_000,
  retryPolicy: {
    maxAttempts: 3,
    minBackoffMs: 1_000,
    maxBackoffMs: 300_000,
    multiplier: 2,
    maxRetryDurationMs: 0,
    nonRetryableTypes: [],
  } satisfies RetryPolicy,
  /** A clean-up has to succeed in the end, whatever the definition says of its jobs. */
  cleanupRetryPolicy: {
    maxAttempts: 20,
    minBackoffMs: 1_000,
    maxBackoffMs: 300_000,
    multiplier: 2,
    maxRetryDurationMs: 0,
    nonRetryableTypes: [],
  } satisfies RetryPolicy,
} as const;
