/** Random workflows, with the results of their steps and the order of events. */
import fc from 'fast-check';
import type { EndedStepState } from '../../../server/domain/workflows/step-state.ts';
import {
  type FailureMode,
  type StepRole,
  type TriggerRule,
  triggerRules,
  type Workflow,
  type WorkflowStep,
} from '../../../server/domain/workflows/workflow.ts';
import { stepOf } from '../../support/workflows/workflow-steps.ts';

export const rules = Object.keys(triggerRules) as TriggerRule[];

export interface Fate {
  /** The result when the step is started. SKIPPED: its condition is false. */
  readonly result: Exclude<EndedStepState, 'UPSTREAM_FAILED'>;
  /** Whether it ends in the transaction that starts it. */
  readonly atOnce: boolean;
}

export interface Plan {
  readonly workflow: Workflow;
  /** By name of the step. */
  readonly fates: ReadonlyMap<string, Fate>;
  /** Choices of the scheduler, repeated in a cycle. */
  readonly picks: readonly number[];
  /** A cancel or a timeout after that many turns. */
  readonly stop: { readonly turn: number; readonly why: 'CANCELLED' | 'TIMED_OUT' } | undefined;
}

const vertex = fc.record({
  role: fc.oneof(
    { weight: 4, arbitrary: fc.constant<StepRole>('NORMAL') },
    { weight: 1, arbitrary: fc.constantFrom<StepRole>('ON_FAILURE', 'FINALLY') },
  ),
  rule: fc.oneof(
    { weight: 1, arbitrary: fc.constant<TriggerRule>('ALL_SUCCESS') },
    { weight: 3, arbitrary: fc.constantFrom(...rules) },
  ),
  /** Which of the earlier steps of its role it needs. */
  needs: fc.array(fc.nat({ max: 59 }), { maxLength: 4, size: 'max' }),
  isCompensated: fc.boolean(),
  /** Its position in the body, independent of its needs. */
  place: fc.nat({ max: 1_000 }),
  fate: fc.record<Fate>({
    result: fc.constantFrom('SUCCEEDED', 'SUCCEEDED', 'FAILED', 'SKIPPED'),
    atOnce: fc.constantFrom(false, false, false, true),
  }),
});

interface Drawn {
  readonly step: WorkflowStep;
  readonly place: number;
  readonly fate: Fate;
}

export const plan: fc.Arbitrary<Plan> = fc
  .record({
    vertices: fc.array(vertex, { minLength: 1, maxLength: 60, size: 'max' }),
    failureMode: fc.constantFrom<FailureMode>('FAIL_FAST', 'RUN_BRANCHES'),
    picks: fc.array(fc.nat({ max: 1_000 }), { minLength: 1, maxLength: 200, size: 'max' }),
    stop: fc.option(
      fc.record({ turn: fc.nat({ max: 12 }), why: fc.constantFrom('CANCELLED' as const, 'TIMED_OUT' as const) }),
      { nil: undefined, freq: 3 },
    ),
  })
  .map(({ vertices, failureMode, picks, stop }) => {
    const drawn: Drawn[] = [];
    for (const [i, { role, rule, needs, place, fate, isCompensated }] of vertices.entries()) {
      const before = drawn.filter(({ step }) => step.role === role);
      const names = new Set(needs.flatMap((need) => before[need % Math.max(1, before.length)]?.step.name ?? []));
      const compensation =
        isCompensated && role === 'NORMAL' ? { definition: 'undo', definitionVersion: 0 } : undefined;
      const step = stepOf({ name: `s${i}`, role, rule, needs: [...names], ...(compensation && { compensation }) });
      drawn.push({ step, place, fate });
    }
    drawn.sort((a, b) => a.place - b.place);
    const workflow: Workflow = { steps: drawn.map(({ step }) => step), failureMode };
    return { workflow, fates: new Map(drawn.map(({ step, fate }) => [step.name, fate])), picks, stop };
  });
