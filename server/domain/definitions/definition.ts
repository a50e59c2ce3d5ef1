/** Job definitions as the core sees them: defaults are filled in, and spans are in milliseconds. */

import type { Demands } from '../dispatch/demands.ts';
import type { DefinitionLimits, KeyLimit, RateLimit } from '../dispatch/limits.ts';
import type { TerminalState } from '../jobs/job-state.ts';
import type { SoftDeadline } from '../jobs/soft-deadline.ts';
import type { SubmissionRules } from '../jobs/submission-rule.ts';
import type { TimeLimits } from '../jobs/time-limits.ts';
import type { CircuitBreaker } from '../retries/circuit-breaker.ts';
import type { RetryBudget, RetryPolicy } from '../retries/retry-policy.ts';
import type { WaitBody } from '../signals/wait.ts';
import type { Workflow } from '../workflows/workflow.ts';
import type { VersionChoice } from './rollout.ts';

/** The schema that a payload must fit. */
export type PayloadSchema =
  | { readonly kind: 'json'; readonly text: string }
  /** The file descriptor set is in base64, because definitions are stored as JSON. */
  | { readonly kind: 'protobuf'; readonly fileDescriptorSet: string; readonly messageType: string };

export type LeaseLossAction = 'ABORT' | 'CONTINUE';

/** The clean-up of a task. */
export interface DefinedCleanup {
  readonly handler: string;
  readonly timeoutMs: number;
  /** Also after a job that has failed. Left out: after a cancelled one only. */
  readonly after?: 'UNSUCCESSFUL';
}

/** Whether a clean-up follows a job that had been started and ends so. */
export function cleansUpAfter({ after }: DefinedCleanup, state: TerminalState): boolean {
  return state === 'CANCELLED' || (state === 'FAILED' && after === 'UNSUCCESSFUL');
}

export interface JobDefinition extends SubmissionRules {
  readonly namespace: string;
  readonly name: string;
  readonly version: number;
  /** Empty for a workflow or a wait. */
  readonly handler: string;
  /** Left out: a task. */
  readonly workflow?: Workflow;
  /** Set: its jobs wait for this, and no worker runs them. */
  readonly wait?: WaitBody;
  /** What runs after a job that had been started and ended without success. Left out: nothing. */
  readonly cleanup?: DefinedCleanup;
  readonly queue: string;
  readonly retryPolicy: RetryPolicy;
  /** Left out: no common bound on the retries of its jobs. */
  readonly retryBudget?: RetryBudget;
  /** Left out: no circuit breaker. */
  readonly circuitBreaker?: CircuitBreaker;
  /** Expression that computes each job's fairness key. Left out: none. */
  readonly fairnessKey?: string;
  /**
   * For all versions together. For this and the other limits the newest version's value applies. Left out: no limit.
   */
  readonly maxConcurrency?: number;
  readonly rateLimit?: RateLimit;
  /** Rate limit units per attempt. Left out: 1. */
  readonly rateCost?: number;
  readonly keyLimit?: KeyLimit;
  /** Data assets that each successful job publishes. Left out: none. */
  readonly publishes?: readonly string[];
  readonly runTimeoutMs: number;
  /** Left out: none, as in what older releases stored. */
  readonly timeLimits?: TimeLimits;
  /** Left out: none. */
  readonly softDeadline?: SoftDeadline;
  readonly cancelGraceMs: number;
  readonly leaseLossAction: LeaseLossAction;
  readonly demands: Demands;
  readonly priority: number;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  /** How long ended jobs are kept. Left out: the namespace's retention. */
  readonly retentionMs?: number;
  /** Left out: any payload is accepted. */
  readonly inputSchema?: PayloadSchema | undefined;
  readonly outputSchema?: PayloadSchema | undefined;
  /** Microseconds since 1970 on the database's clock. */
  readonly createTimeUs: number;
  /** When the definition, in all its versions, was archived. Undefined: it is not archived, or this was not read. */
  readonly archiveTimeUs?: number | undefined;
  /** Of the newest version, unless all new jobs take it. */
  readonly rollout?: VersionChoice | undefined;
}

/** The newest version's limits, which apply to the jobs of all versions; undefined: none. */
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
  /** A clean-up has to succeed eventually, so it has its own retry policy, whatever the definition says. */
  cleanupRetryPolicy: {
    maxAttempts: 20,
    minBackoffMs: 1_000,
    maxBackoffMs: 300_000,
    multiplier: 2,
    maxRetryDurationMs: 0,
    nonRetryableTypes: [],
  } satisfies RetryPolicy,
} as const;
