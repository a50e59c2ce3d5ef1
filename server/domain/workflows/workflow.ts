/**
 * A workflow's definition as the core sees it: defaults are filled in, spans are in milliseconds, expressions are text.
 */

import type { Condition } from '../dependencies/dependencies.ts';
import type { Demands } from '../dispatch/demands.ts';
import type { RetryPolicy } from '../retries/retry-policy.ts';

/** The same numbers as `TriggerRule` in the contract. */
export const triggerRules = {
  ALL_SUCCESS: 1,
  ALL_FAILED: 2,
  ALL_DONE: 3,
  ALL_DONE_MIN_ONE_SUCCESS: 4,
  ALL_SKIPPED: 5,
  ONE_SUCCESS: 6,
  ONE_FAILED: 7,
  ONE_DONE: 8,
  NONE_FAILED: 9,
  NONE_FAILED_MIN_ONE_SUCCESS: 10,
  NONE_SKIPPED: 11,
  ALWAYS: 12,
  ALL_DONE_SETUP_SUCCESS: 13,
} as const;
export type TriggerRule = keyof typeof triggerRules;

/** The same numbers as `StepRole` in the contract. */
export const stepRoles = { NORMAL: 1, ON_FAILURE: 2, FINALLY: 3 } as const;
export type StepRole = keyof typeof stepRoles;

/** The same numbers as `FailureMode` in the contract. */
export const failureModes = { FAIL_FAST: 1, RUN_BRANCHES: 2 } as const;
export type FailureMode = keyof typeof failureModes;

export interface Workflow {
  readonly steps: readonly WorkflowStep[];
  /** Expression of the result. Left out: the outputs of the leaves of the work, by name. */
  readonly output?: string;
  readonly failureMode: FailureMode;
}

/** A field that is left out is absent: no condition, no fan-out, no loop, the workflow's own input. */
export interface WorkflowStep {
  readonly name: string;
  readonly definition: string;
  /** 0: the newest when the step starts. */
  readonly definitionVersion: number;
  readonly needs: readonly string[];
  /** It also needs all other steps of its role whose names begin with one of these. Left out: none. */
  readonly needsPrefixes?: readonly string[];
  readonly rule: TriggerRule;
  /** Its rule counts each item of the fan-outs that it needs as a step. */
  readonly countsItems?: true;
  readonly role: StepRole;
  readonly condition?: string;
  readonly input?: string;
  readonly fanOut?: FanOut;
  readonly loop?: Loop;
  readonly overrides?: StepOverrides;
  readonly compensation?: Compensation;
  readonly cache?: StepCache;
  readonly dependsOn?: readonly DependencyExpression[];
}

/** What a step's job waits for outside of its workflow. `jobId`, `workflowJobId` and `name` are expressions. */
export interface DependencyExpression {
  readonly on:
    | { readonly kind: 'JOB'; readonly jobId: string }
    | { readonly kind: 'STEP'; readonly workflowJobId: string; readonly step: string }
    | { readonly kind: 'ASSET'; readonly name: string };
  /** Ignored for an asset. */
  readonly condition: Condition;
}

/** A step with a cache may reuse the result of an earlier job instead of running one. */
export interface StepCache {
  /** Maximum age, counted from that job's end. */
  readonly maxAgeMs: number;
  /** Expression of the value that must be equal. Left out: the whole input. */
  readonly key?: string;
}

/** Undoes what a step has done if the workflow fails afterwards. */
export interface Compensation {
  readonly definition: string;
  /** 0: the newest when it starts. */
  readonly definitionVersion: number;
  /** Expression of its input. Left out: the step's output. */
  readonly input?: string;
}

export interface StepOverrides {
  readonly queue?: string;
  readonly priority?: number;
  readonly retryPolicy?: RetryPolicy;
  readonly runTimeoutMs?: number;
  readonly demands?: Demands;
  readonly expireAfterMs?: number;
  readonly delayMs?: number;
}

export interface FanOut {
  /** Expression of the list. */
  readonly items: string;
  /** Left out: all at once. */
  readonly maxParallel?: number;
  /** Left out: all items run until they end. */
  readonly maxFailed?: number;
  /** Left out: all items must succeed. */
  readonly successPolicy?: readonly SuccessRule[];
}

export interface SuccessRule {
  /** First and last index of each span, in order and disjoint. Left out: all items. */
  readonly indexes?: readonly (readonly [number, number])[];
  /** Left out: all of them. */
  readonly count?: number;
}

export interface Loop {
  readonly repeatCondition: string;
  readonly maxIterations: number;
}

export const MAX_STEPS = 10_000;
export const MAX_NEEDS = 10_000;
/** Per step. */
export const MAX_PREFIXES = 100;
/** Needs over all steps, by name and by prefix. */
export const MAX_EDGES = 1_000_000;
export const MAX_ITEMS = 100_000;
export const MAX_ITERATIONS = 10_000;
/** Maximum nesting of workflows. */
export const MAX_DEPTH = 16;
