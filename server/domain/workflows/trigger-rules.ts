/** What a trigger rule says of a step, by how the steps that it needs have ended so far. The rules are those of Airflow. */
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
  // The one rule for which the order counts: of a failed step and a skipped one, what comes first decides, and what comes at
  // once with a failure fails. To wait for all would hold back a failure.
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
  // A step that could not start has done nothing: here alone it is no failed one.
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
 * `total` is how many steps it needs. Once it is not WAIT it never is again, whatever ends later; and but for ALL_SUCCESS it stays
 * what it is.
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
