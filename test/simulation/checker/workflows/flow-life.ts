/** One workflow in the journal: its steps, its jobs, and the state of its fan-outs by the ends of their items. */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { type EndedStepState, type StepState, stepStates } from '../../../../server/domain/workflows/step-state.ts';
import { type Item, type Outcome, outcomeOf } from '../../../support/workflows/fan-out-oracle.ts';
import { verdictNow } from '../../../support/workflows/workflow-oracle.ts';
import type { PlannedFlow, PlannedStep } from '../../scenario/flows.ts';
import type { Ordered } from '../base/events.ts';

export const phases = ['NORMAL', 'ON_FAILURE', 'FINALLY'] as const;
export const stopReasonCodes = { NO: 0, FAILED: 1, CANCELLED: 2, TIMED_OUT: 3 } as const;

/** A job of a step. */
export interface Child {
  readonly id: string;
  readonly step: number;
  readonly item: number;
  isCancelling: boolean;
  end: Ordered | undefined;
}

const stepNames = new Map<number, StepState>(
  Object.entries(stepStates).map(([name, code]) => [code, name as StepState]),
);

export function stepStateOf(code: number | null): StepState {
  return stepNames.get(code ?? stepStates.WAITING) as StepState;
}

export function isOver(state: StepState): state is EndedStepState {
  return state !== 'WAITING' && state !== 'RUNNING';
}

export class FlowLife {
  readonly id: string;
  readonly plan: PlannedFlow;
  /** The workflow that this one retries. */
  readonly retryOf: FlowLife | undefined;
  readonly states: StepState[];
  /** Steps whose jobs are the earlier workflow's. */
  readonly adopted = new Set<number>();
  /** Earlier jobs whose results steps took instead of a job of their own. */
  readonly taken = new Map<number, Child>();
  /** Index in `phases`; undefined: it has not started. */
  phase: number | undefined;
  stopReason = 0;
  isCancelled = false;
  isLate = false;
  isPaused = false;
  /** Whether failure steps are to run: known when the work is over. */
  needsHelp: boolean | undefined;
  end: Ordered | undefined;
  readonly #children: Child[][];
  /** Items of each step in the order of their ends. */
  readonly #ends: number[][];

  constructor(id: string, plan: PlannedFlow, retryOf: FlowLife | undefined) {
    this.id = id;
    this.plan = plan;
    this.retryOf = retryOf;
    this.states = plan.steps.map(() => 'WAITING');
    this.#children = plan.steps.map(() => []);
    this.#ends = plan.steps.map(() => []);
  }

  step(step: number): PlannedStep {
    return this.plan.steps[step] as PlannedStep;
  }

  stepNamed(name: string): PlannedStep {
    return this.plan.steps.find((step) => step.name === name) as PlannedStep;
  }

  jobs(step: number): readonly Child[] {
    return this.#children[step] ?? [];
  }

  open(): Child[] {
    return this.#children.flat().filter((child) => !child.end);
  }

  add(child: Child): void {
    this.#children[child.step]?.push(child);
  }

  ended(child: Child, row: Ordered): void {
    child.end = row;
    this.#ends[child.step]?.push(child.item);
  }

  /** The ended steps by name. */
  endings(): Map<string, EndedStepState> {
    return new Map(
      this.states.flatMap((state, step) => (isOver(state) ? [[this.step(step).name, state] as const] : [])),
    );
  }

  needs(step: number): (EndedStepState | undefined)[] {
    const endings = this.endings();
    return this.step(step).needs.map((name) => endings.get(name));
  }

  verdict(step: number): ReturnType<typeof verdictNow> {
    return verdictNow(this.step(step).rule, this.needs(step));
  }

  /** For ALL_SUCCESS: the first of the two ends decides, and both may be in one transaction. */
  isOpenToBoth(step: number): boolean {
    const needs = this.needs(step);
    const isBad = needs.includes('FAILED') || needs.includes('UPSTREAM_FAILED');
    return this.step(step).rule === 'ALL_SUCCESS' && isBad && needs.includes('SKIPPED');
  }

  /** The value of its condition; true without one. */
  holds(step: number): boolean {
    const { condition } = this.step(step);
    if (!condition) return true;
    return condition.kind === 'input' ? condition.holds : this.endings().get(condition.of) === 'SUCCEEDED';
  }

  /** Possible decisions of a fan-out: ends are read in their order, any number of them at once. Empty: it continues. */
  decisions(step: number): Set<Outcome> {
    const { fanOut, scripts } = this.step(step);
    const found = new Set<Outcome>();
    if (!fanOut) return found;
    const items: Item[] = scripts.map(() => 'UNSTARTED');
    const probe = () => found.add(outcomeOf(fanOut, items));
    probe();
    for (const item of this.#ends[step] ?? []) {
      const end = this.jobs(step).find((child) => child.item === item)?.end;
      items[item] = end?.to === stateCodes.SUCCEEDED ? 'SUCCEEDED' : 'FAILED';
      probe();
    }
    found.delete('CONTINUE');
    return found;
  }

  /** The workflow with the jobs of a succeeded step. */
  source(step: number): FlowLife {
    return this.adopted.has(step) && this.retryOf ? this.retryOf.source(step) : this;
  }

  /** The output of a succeeded step. */
  output(step: number): unknown {
    const source = this.source(step);
    const taken = source.taken.get(step);
    const children = taken ? [taken] : source.jobs(step);
    const of = (child: Child | undefined) =>
      child?.end?.to === stateCodes.SUCCEEDED ? JSON.parse(child.end.text ?? 'null') : null;
    if (!this.step(step).fanOut) return of(children.at(-1));
    return this.step(step).scripts.map((_, item) => of(children.find((child) => child.item === item)));
  }
}
