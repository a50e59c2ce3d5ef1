/** Rules of a retry policy: conditions on a failure, and the action. The first match decides. */
import type { Failure, FailureCause } from '../base/payload.ts';

/** Codes as in the contract. */
export const retryCauses = { APPLICATION: 1, TIMEOUT: 2, LOST_WORKER: 3, INFRASTRUCTURE: 4 } as const;
export type RetryCause = keyof typeof retryCauses;

/** Codes as in the contract. */
export const retryActions = { RETRY: 1, FAIL: 2, IGNORE: 3, PAUSE: 4 } as const;
export type RetryAction = keyof typeof retryActions;

/** A condition that is left out matches anything. */
export interface RetryRule {
  readonly types?: readonly string[];
  readonly exitCodes?: readonly number[];
  readonly causes?: readonly RetryCause[];
  readonly action: RetryAction;
  /** With RETRY and IGNORE. Left out: the policy's backoff. */
  readonly delayMs?: number;
}

export interface FoundRule extends RetryRule {
  /** Its position in the policy, counted from 1; messages use it. */
  readonly number: number;
}

const causes: Partial<Record<FailureCause, RetryCause>> = {
  TIMEOUT: 'TIMEOUT',
  LOST_WORKER: 'LOST_WORKER',
  INFRASTRUCTURE: 'INFRASTRUCTURE',
  LEASE_LOST: 'INFRASTRUCTURE',
  SESSION_CLOSED: 'INFRASTRUCTURE',
};

/** The cause of a failure, in the terms of rules and limits. */
export function retryCauseOf(failure: Pick<Failure, 'failureCause'>): RetryCause {
  return causes[failure.failureCause] ?? 'APPLICATION';
}

function matches(rule: RetryRule, failure: Failure): boolean {
  const { types, exitCodes, causes: named } = rule;
  if (types && !types.includes(failure.type)) return false;
  if (exitCodes && (failure.exitCode === undefined || !exitCodes.includes(failure.exitCode))) return false;
  return !named || named.includes(retryCauseOf(failure));
}

/**
 * The first rule that matches. An attempt without a report (`lost`) matches only rules that name its cause: a rule for
 * any failure was written for failures of the handler.
 */
export function findRule(
  rules: readonly RetryRule[] | undefined,
  failure: Failure,
  lost: boolean,
): FoundRule | undefined {
  const index = (rules ?? []).findIndex((rule) => (!lost || rule.causes) && matches(rule, failure));
  const rule = rules?.[index];
  return rule && { ...rule, number: index + 1 };
}
