/**
 * Finds steps that can never start, from the trigger rules alone. Each job may succeed or fail and each condition may
 * hold or not, so that switching a step off with the condition `false` does not make the steps behind it an error.
 */
import type { Needs } from '../needs.ts';
import type { EndedStepState } from '../step-state.ts';
import type { TriggerRule, WorkflowStep } from '../workflow.ts';
import type { Problems } from './problems.ts';

/** Sets of ends, as bits. */
export const endBits = { SUCCEEDED: 1, FAILED: 2, UPSTREAM_FAILED: 4, SKIPPED: 8 } as const satisfies Record<
  EndedStepState,
  number
>;

const { SUCCEEDED, SKIPPED } = endBits;
/** Failed by its own job. For a rule that asks about failure, both bits count. */
const ITSELF = endBits.FAILED;
const FAILED = ITSELF | endBits.UPSTREAM_FAILED;

/** Tests whether one, or each, of the needed steps can end in one of these ways. */
interface Ends {
  readonly some: (ends: number) => boolean;
  readonly every: (ends: number) => boolean;
}

interface Rule {
  readonly mayStart: (ends: Ends) => boolean;
  /** If it does not start: whether that may be because of a failure, or as a skip. Default: it may. */
  readonly mayFail?: (ends: Ends) => boolean;
  readonly maySkip?: (ends: Ends) => boolean;
}

const always = () => true;
const someOf = (ends: number) => (needs: Ends) => needs.some(ends);
const eachOf = (ends: number) => (needs: Ends) => needs.every(ends);
const eachAndSome = (each: number, some: number) => (needs: Ends) => needs.every(each) && needs.some(some);

const rules: Readonly<Record<TriggerRule, Rule>> = {
  ALL_SUCCESS: { mayStart: eachOf(SUCCEEDED), mayFail: someOf(FAILED), maySkip: someOf(SKIPPED) },
  ALL_FAILED: { mayStart: eachOf(FAILED), maySkip: someOf(SUCCEEDED | SKIPPED) },
  ALL_DONE: { mayStart: always },
  ALL_DONE_MIN_ONE_SUCCESS: {
    mayStart: eachAndSome(SUCCEEDED | FAILED, SUCCEEDED),
    mayFail: eachOf(FAILED),
    maySkip: someOf(SKIPPED),
  },
  ALL_SKIPPED: { mayStart: eachOf(SKIPPED), maySkip: someOf(SUCCEEDED | FAILED) },
  ONE_SUCCESS: {
    mayStart: someOf(SUCCEEDED),
    mayFail: eachAndSome(FAILED | SKIPPED, FAILED),
    maySkip: eachOf(SKIPPED),
  },
  ONE_FAILED: { mayStart: someOf(FAILED), maySkip: eachOf(SUCCEEDED | SKIPPED) },
  ONE_DONE: { mayStart: someOf(SUCCEEDED | ITSELF), maySkip: eachOf(endBits.UPSTREAM_FAILED | SKIPPED) },
  NONE_FAILED: { mayStart: eachOf(SUCCEEDED | SKIPPED), mayFail: someOf(FAILED) },
  NONE_FAILED_MIN_ONE_SUCCESS: {
    mayStart: eachAndSome(SUCCEEDED | SKIPPED, SUCCEEDED),
    mayFail: someOf(FAILED),
    maySkip: eachOf(SKIPPED),
  },
  NONE_SKIPPED: { mayStart: eachOf(SUCCEEDED | FAILED), maySkip: someOf(SKIPPED) },
  ALWAYS: { mayStart: always },
  ALL_DONE_SETUP_SUCCESS: {
    mayStart: someOf(SUCCEEDED),
    mayFail: eachAndSome(FAILED | SKIPPED, FAILED),
    maySkip: eachOf(SKIPPED),
  },
};

/** `order` comes from `orderOf`. */
export function reportUnreachable(
  steps: readonly WorkflowStep[],
  needs: Needs,
  order: readonly number[],
  field: string,
  problems: Problems,
): void {
  const possible = new Uint8Array(steps.length);
  for (const number of order) {
    const step = steps[number] as WorkflowStep;
    const needed = needs.of[number] as readonly number[];
    const ends = needed.map((need) => endsOfNeed(step, steps[need] as WorkflowStep, possible[need] as number));
    if (!mayStart(step.rule, ends))
      problems.add(`${field}[${number}].trigger_rule`, neverText(steps, step, needed, ends));
    possible[number] = endsBehind(step, ends);
  }
}

/** Items that a decided fan-out never begins count as skipped, for a step that counts items. */
function endsOfNeed({ countsItems }: WorkflowStep, { fanOut }: WorkflowStep, possible: number): number {
  const isCut = fanOut?.maxFailed !== undefined || fanOut?.successPolicy !== undefined;
  return countsItems && isCut && (possible & (SUCCEEDED | ITSELF)) !== 0 ? possible | SKIPPED : possible;
}

/** A step without valid needs may start: a wrong need is left out here, and already reported. */
function mayStart(rule: TriggerRule, needed: readonly number[]): boolean {
  return needed.length === 0 || rules[rule].mayStart(endsOf(needed));
}

/** The ways in which a step may end, given those of the steps that it needs. */
export function endsBehind(
  { rule, condition }: Pick<WorkflowStep, 'rule' | 'condition'>,
  needed: readonly number[],
): number {
  const ownEnds = SUCCEEDED | ITSELF | (condition === undefined ? 0 : SKIPPED);
  if (needed.length === 0) return ownEnds;
  const { mayFail, maySkip } = rules[rule];
  const ends = endsOf(needed);
  return (
    (mayStart(rule, needed) ? ownEnds : 0) |
    (mayFail?.(ends) ? endBits.UPSTREAM_FAILED : 0) |
    (maySkip?.(ends) ? SKIPPED : 0)
  );
}

function endsOf(possible: readonly number[]): Ends {
  return {
    some: (ends) => possible.some((one) => (one & ends) !== 0),
    every: (ends) => possible.every((one) => (one & ends) !== 0),
  };
}

const kinds = [
  [SUCCEEDED, 'succeed'],
  [ITSELF, 'fail'],
  [endBits.UPSTREAM_FAILED, 'be kept from starting by a failure'],
  [SKIPPED, 'be skipped'],
] as const;

function neverText(
  steps: readonly WorkflowStep[],
  { rule }: WorkflowStep,
  needed: readonly number[],
  possible: readonly number[],
): string {
  const can = needed.slice(0, 3).map((need, i) => {
    const ways = kinds.filter(([end]) => ((possible[i] as number) & end) !== 0).map(([, text]) => text);
    return `${steps[need]?.name} can only ${ways.join(' or ')}`;
  });
  return `never lets the step start: ${rule} does not fit, since ${can.join(', ')}; choose another rule, or give those a condition`;
}
