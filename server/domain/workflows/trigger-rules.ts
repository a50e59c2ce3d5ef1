/** Decisions of a trigger rule from the ends of the needed steps so far. The rules are those of Airflow. */
import type { EndedStepState } from './step-state.ts';
import type { TriggerRule } from './workflow.ts';

/** Of the steps that a step needs: how many have ended in each way. */
export interface StepCounts {
  readonly succeeded: number;
  readonly failed: number;
  readonly upstreamFailed: number;
  readonly skipped: number;
}

export type RuleDecision = 'WAIT' | 'START' | 'SKIP' | 'UPSTREAM_FAILED';

export const noneEnded: StepCounts = { succeeded: 0, failed: 0, upstreamFailed: 0, skipped: 0 };

const countOf = {
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  UPSTREAM_FAILED: 'upstreamFailed',
  SKIPPED: 'skipped',
} as const satisfies Record<EndedStepState, keyof StepCounts>;

export function withEnd(counts: StepCounts, state: EndedStepState): StepCounts {
  const name = countOf[state];
  return { ...counts, [name]: counts[name] + 1 };
}

export function endedOf({ succeeded, failed, upstreamFailed, skipped }: StepCounts): number {
  return succeeded + failed + upstreamFailed + skipped;
}

interface Needs {
  readonly succeeded: number;
  readonly skipped: number;
  /** By their own jobs, or because of a failure before them. */
  readonly failed: number;
  /** By their own jobs. */
  readonly failedThemselves: number;
  readonly allEnded: boolean;
  readonly allSkipped: boolean;
}

const rules: Readonly<Record<TriggerRule, (needs: Needs) => RuleDecision>> = {
  // The only rule for which order matters: between a failed and a skipped step the first decides, and a failure wins if
  // both come at once. Waiting for all would delay the report of a failure.
  ALL_SUCCESS: ({ failed, skipped, allEnded }) =>
    failed > 0 ? 'UPSTREAM_FAILED' : skipped > 0 ? 'SKIP' : allEnded ? 'START' : 'WAIT',
  ALL_FAILED: ({ succeeded, skipped, allEnded }) => (succeeded + skipped > 0 ? 'SKIP' : allEnded ? 'START' : 'WAIT'),
  ALL_DONE: ({ allEnded }) => (allEnded ? 'START' : 'WAIT'),
  ALL_DONE_MIN_ONE_SUCCESS: ({ succeeded, skipped, allEnded }) =>
    skipped > 0 ? 'SKIP' : !allEnded ? 'WAIT' : succeeded > 0 ? 'START' : 'UPSTREAM_FAILED',
  ALL_SKIPPED: ({ succeeded, failed, allEnded }) => (succeeded + failed > 0 ? 'SKIP' : allEnded ? 'START' : 'WAIT'),
  ONE_SUCCESS: ({ succeeded, allEnded, allSkipped }) =>
    succeeded > 0 ? 'START' : allSkipped ? 'SKIP' : allEnded ? 'UPSTREAM_FAILED' : 'WAIT',
  ONE_FAILED: ({ failed, allEnded }) => (failed > 0 ? 'START' : allEnded ? 'SKIP' : 'WAIT'),
  // A step that could not start has done nothing: only in this rule it does not count as failed.
  ONE_DONE: ({ succeeded, failedThemselves, allEnded }) =>
    succeeded + failedThemselves > 0 ? 'START' : allEnded ? 'SKIP' : 'WAIT',
  NONE_FAILED: ({ failed, allEnded }) => (failed > 0 ? 'UPSTREAM_FAILED' : allEnded ? 'START' : 'WAIT'),
  NONE_FAILED_MIN_ONE_SUCCESS: ({ failed, allEnded, allSkipped }) =>
    failed > 0 ? 'UPSTREAM_FAILED' : allSkipped ? 'SKIP' : allEnded ? 'START' : 'WAIT',
  NONE_SKIPPED: ({ skipped, allEnded }) => (skipped > 0 ? 'SKIP' : allEnded ? 'START' : 'WAIT'),
  ALWAYS: () => 'START',
  ALL_DONE_SETUP_SUCCESS: ({ succeeded, allEnded, allSkipped }) =>
    !allEnded ? 'WAIT' : succeeded > 0 ? 'START' : allSkipped ? 'SKIP' : 'UPSTREAM_FAILED',
};

/**
 * `total`: number of needed steps; with items it may grow while one of them is open. A decision other than WAIT never becomes WAIT again, whatever ends later; and except
 * for ALL_SUCCESS it never changes.
 */
export function decideRule(rule: TriggerRule, counts: StepCounts, total: number): RuleDecision {
  if (total === 0) return 'START';
  const { succeeded, failed, upstreamFailed, skipped } = counts;
  return rules[rule]({
    succeeded,
    skipped,
    failed: failed + upstreamFailed,
    failedThemselves: failed,
    allEnded: endedOf(counts) === total,
    allSkipped: skipped === total,
  });
}
