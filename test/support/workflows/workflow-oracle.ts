/**
 * The outcome of a workflow, computed slowly and plainly: evaluates whole lists of outcomes until nothing changes. It
 * shares only types and names with the decisions under test.
 */
import type { EndedStepState } from '../../../server/domain/workflows/step-state.ts';
import type { StepRole, TriggerRule, Workflow, WorkflowStep } from '../../../server/domain/workflows/workflow.ts';

export type Verdict = 'START' | 'SKIP' | 'UPSTREAM_FAILED';

export const outcomes = ['SUCCEEDED', 'FAILED', 'UPSTREAM_FAILED', 'SKIPPED'] as const satisfies EndedStepState[];

const isGood = (outcome: EndedStepState) => outcome === 'SUCCEEDED';
const isBad = (outcome: EndedStepState) => outcome === 'FAILED' || outcome === 'UPSTREAM_FAILED';
const isSkipped = (outcome: EndedStepState) => outcome === 'SKIPPED';

/** The verdict when all needs have ended and are evaluated together. */
export function verdictOf(rule: TriggerRule, ended: readonly EndedStepState[]): Verdict {
  if (ended.length === 0) return 'START';
  switch (rule) {
    case 'ALL_SUCCESS':
      return ended.every(isGood) ? 'START' : ended.some(isBad) ? 'UPSTREAM_FAILED' : 'SKIP';
    case 'ALL_FAILED':
      return ended.every(isBad) ? 'START' : 'SKIP';
    case 'ALL_DONE':
    case 'ALWAYS':
      return 'START';
    case 'ALL_DONE_MIN_ONE_SUCCESS':
      return ended.some(isSkipped) ? 'SKIP' : ended.some(isGood) ? 'START' : 'UPSTREAM_FAILED';
    case 'ALL_SKIPPED':
      return ended.every(isSkipped) ? 'START' : 'SKIP';
    case 'ONE_SUCCESS':
    case 'ALL_DONE_SETUP_SUCCESS':
      return ended.some(isGood) ? 'START' : ended.every(isSkipped) ? 'SKIP' : 'UPSTREAM_FAILED';
    case 'ONE_FAILED':
      return ended.some(isBad) ? 'START' : 'SKIP';
    case 'ONE_DONE':
      return ended.some((outcome) => isGood(outcome) || outcome === 'FAILED') ? 'START' : 'SKIP';
    case 'NONE_FAILED':
      return ended.some(isBad) ? 'UPSTREAM_FAILED' : 'START';
    case 'NONE_FAILED_MIN_ONE_SUCCESS':
      return ended.some(isBad) ? 'UPSTREAM_FAILED' : ended.some(isGood) ? 'START' : 'SKIP';
    case 'NONE_SKIPPED':
      return ended.some(isSkipped) ? 'SKIP' : 'START';
  }
}

const eager: readonly TriggerRule[] = ['ONE_SUCCESS', 'ONE_FAILED', 'ONE_DONE', 'ALWAYS'];

/**
 * The verdict so far; undefined is a need that has not ended. A rule of "one" starts as soon as the ended needs
 * suffice, others when all have ended. A step is known not to start as soon as no further end can make it start.
 */
export function verdictNow(rule: TriggerRule, needs: readonly (EndedStepState | undefined)[]): Verdict | 'WAIT' {
  const ended = needs.filter((outcome) => outcome !== undefined);
  if (ended.length === needs.length) return verdictOf(rule, ended);
  if (rule === 'ALWAYS') return 'START';
  if (ended.length === 0) return 'WAIT';
  if (eager.includes(rule) && verdictOf(rule, ended) === 'START') return 'START';
  // If anything can still make it start, then a rest whose needs all end in the same state.
  const canStart = outcomes.some(
    (rest) =>
      verdictOf(
        rule,
        needs.map((outcome) => outcome ?? rest),
      ) === 'START',
  );
  return canStart ? 'WAIT' : verdictOf(rule, ended);
}

/** The result of each step if it is started. SKIPPED: its condition is false. */
export type Results = ReadonlyMap<string, EndedStepState>;

/** All ways to choose one element of each set. */
function picksOf(sets: readonly ReadonlySet<EndedStepState>[]): EndedStepState[][] {
  return sets.reduce<EndedStepState[][]>(
    (picks, set) => picks.flatMap((pick) => [...set].map((one) => [...pick, one])),
    [[]],
  );
}

function endingsOf(step: WorkflowStep, needs: readonly EndedStepState[], result: EndedStepState): EndedStepState[] {
  // The final states do not show which of the two came first.
  if (step.rule === 'ALL_SUCCESS' && needs.some(isBad) && needs.some(isSkipped)) return ['UPSTREAM_FAILED', 'SKIPPED'];
  const verdict = verdictOf(step.rule, needs);
  return [verdict === 'START' ? result : verdict === 'SKIP' ? 'SKIPPED' : 'UPSTREAM_FAILED'];
}

/** Possible ends of each step if nothing is cut short: one, unless the order of ends counts. */
export function endingsOfAll({ steps }: Workflow, results: Results): Map<string, Set<EndedStepState>> {
  const known = new Map<string, Set<EndedStepState>>();
  for (let before = -1; before < known.size; ) {
    before = known.size;
    for (const step of steps) {
      const needs = step.needs.map((name) => known.get(name));
      if (known.has(step.name) || needs.includes(undefined)) continue;
      const picks = picksOf(needs.filter((set) => set !== undefined));
      const result = results.get(step.name) ?? 'SUCCEEDED';
      known.set(step.name, new Set(picks.flatMap((pick) => endingsOf(step, pick, result))));
    }
  }
  return known;
}

/** Whether a step of this role that no other step needs has failed. */
export function hasFailedLeaf(
  { steps }: Workflow,
  role: StepRole,
  ended: ReadonlyMap<string, EndedStepState>,
): boolean {
  return steps.some(({ name, role: own }) => {
    const outcome = ended.get(name);
    const isNeeded = steps.some(({ needs }) => needs.includes(name));
    return own === role && !isNeeded && outcome !== undefined && isBad(outcome);
  });
}
