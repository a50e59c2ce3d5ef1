/** Circles across running workflows against an oracle that lists all waits step by step: exactly these are found. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dependency, DependsOn } from '../../../server/domain/dependencies/dependencies.ts';
import { compensationOf } from '../../../server/domain/workflows/compensation.ts';
import type { Phase } from '../../../server/domain/workflows/phases.ts';
import type { StepState } from '../../../server/domain/workflows/step-state.ts';
import type { StepRole, TriggerRule, Workflow } from '../../../server/domain/workflows/workflow.ts';
import { type CycleStore, cycleOf, type Waiter } from '../../../server/engine/dependencies/cycle-search.ts';
import type { Lanes } from '../../../server/engine/dispatch/lanes.ts';
import { step as makeStep } from '../../unit/domain/workflow/made-workflow.ts';

const order: readonly Phase[] = ['WORK', 'COMPENSATION', 'ON_FAILURE', 'FINALLY'];
const phaseOfRole = { NORMAL: 'WORK', ON_FAILURE: 'ON_FAILURE', FINALLY: 'FINALLY' } as const;
const STEPS = 6;
const TASK_LANE = 99;

interface Flow {
  readonly phase: Phase;
  readonly stopReason: 'NO' | 'FAILED';
  readonly steps: readonly { readonly role: StepRole; readonly rule: TriggerRule; readonly needs: readonly number[] }[];
  readonly states: readonly StepState[];
  /** The step that is being compensated. */
  readonly undone: number | undefined;
}

const drawn = fc.record({
  phase: fc.constantFrom(...order),
  stopReason: fc.constantFrom('NO' as const, 'FAILED' as const),
  steps: fc.array(
    fc.record({
      role: fc.constantFrom<StepRole>('NORMAL', 'NORMAL', 'ON_FAILURE', 'FINALLY'),
      rule: fc.constantFrom<TriggerRule>('ALL_SUCCESS', 'ALWAYS', 'ONE_SUCCESS', 'ALL_DONE'),
      needs: fc.uniqueArray(fc.nat(STEPS - 1), { maxLength: 2 }),
      state: fc.constantFrom<StepState>('WAITING', 'RUNNING', 'SUCCEEDED'),
    }),
    { minLength: 1, maxLength: STEPS },
  ),
  undone: fc.nat(STEPS - 1),
});

/** A valid workflow, with the random parts where they are possible. */
function flowOf({
  phase,
  stopReason,
  steps: all,
  undone,
}: typeof drawn extends fc.Arbitrary<infer T> ? T : never): Flow {
  const steps = all.map(({ role, rule, needs }, i) => ({
    role,
    rule,
    needs: needs.filter((need) => need < i && all[need]?.role === role),
  }));
  const states: StepState[] = [];
  for (const [i, { role, rule, needs }] of steps.entries()) {
    const [own, now] = [order.indexOf(phaseOfRole[role]), order.indexOf(phase)];
    const drawnState = all[i]?.state as StepState;
    const open = needs.filter((need) => states[need] !== 'SUCCEEDED').length;
    const isFree = rule === 'ALWAYS' || open === 0 || (rule === 'ONE_SUCCESS' && open < needs.length);
    if (own < now)
      states.push(role === 'NORMAL' && stopReason !== 'NO' && drawnState === 'WAITING' ? 'WAITING' : 'SUCCEEDED');
    else states.push(own === now && isFree ? drawnState : 'WAITING');
  }
  const isUndone = phase === 'COMPENSATION' && steps[undone]?.role === 'NORMAL' && states[undone] === 'SUCCEEDED';
  return { phase, stopReason, steps, states, undone: isUndone ? undone : undefined };
}

const flowId = (flow: number) => `w${flow}`;
const childId = (flow: number, step: number) => `w${flow}-${step}`;

/** Jobs of steps and of compensations, by number. */
function childrenOf({ states, undone }: Flow, flow: number) {
  const running = states.flatMap((state, step) => (state === 'RUNNING' ? [step] : []));
  return [...running, ...(undone === undefined ? [] : [compensationOf(undone)])].map((step) => ({
    parentJobId: flowId(flow),
    jobId: childId(flow, step),
    step,
  }));
}

function targetKey(on: DependsOn): string {
  if (on.kind === 'JOB') return on.jobId;
  return on.kind === 'STEP' ? `${on.workflowJobId}/${on.number}` : '';
}

/** All waits within a workflow. */
function* waitsWithin(flow: Flow, number: number): Generator<readonly [string, string]> {
  const job = flowId(number);
  const key = (step: number) => `${job}/${step}`;
  for (const { jobId, step } of childrenOf(flow, number))
    yield* [[job, key(step)] as const, [key(step), jobId] as const];
  const phase = (step: number) => order.indexOf(phaseOfRole[flow.steps[step]?.role as StepRole]);
  const now = order.indexOf(flow.phase);
  const isLost = (step: number) =>
    flow.states[step] === 'WAITING' &&
    (phase(step) < now || (now === 0 && phase(step) === 0 && flow.stopReason !== 'NO'));
  for (const [step, state] of flow.states.entries()) {
    if (state !== 'WAITING') continue;
    if (isLost(step)) yield [key(step), job];
    if (isLost(step)) continue;
    if (flow.steps[step]?.rule !== 'ALWAYS')
      for (const need of flow.steps[step]?.needs ?? []) yield [key(step), key(need)];
    for (const [other, otherState] of flow.states.entries())
      if (phase(other) < phase(step) && otherState !== 'SUCCEEDED' && !isLost(other)) yield [key(step), key(other)];
    if (flow.undone !== undefined && phase(step) > 1) yield [key(step), key(compensationOf(flow.undone))];
  }
}

function reaches(edges: readonly (readonly [string, string])[], from: readonly string[], to: string): boolean {
  const reached = new Set(from);
  for (let before = -1; before < reached.size; ) {
    before = reached.size;
    for (const [a, b] of edges) if (reached.has(a)) reached.add(b);
  }
  return reached.has(to);
}

const name = (step: number) => `s${step}`;

function targetOf(flows: readonly Flow[], [kind, flow, step]: readonly [string, number, number]): Dependency {
  const at = flow % flows.length;
  const number = step % (flows[at]?.steps.length ?? 1);
  if (kind === 'STEP')
    return { condition: 'ENDED', on: { kind, workflowJobId: flowId(at), step: name(number), number } };
  const children = childrenOf(flows[at] as Flow, at);
  const jobId = kind === 'FLOW' ? flowId(at) : kind === 'CHILD' ? children[step % children.length]?.jobId : undefined;
  return { condition: 'ENDED', on: { kind: 'JOB', jobId: jobId ?? `x${step}` } };
}

function storeOf(flows: readonly Flow[], dependencies: ReadonlyMap<string, readonly Dependency[]>): CycleStore {
  const children = flows.flatMap(childrenOf);
  const isBlocked = (jobId: string) => dependencies.has(jobId);
  const places = new Map(flows.map((_, i) => [flowId(i), i]));
  const jobOf = (jobId: string) => {
    const laneId = places.get(jobId) ?? TASK_LANE;
    const state = laneId !== TASK_LANE ? 'WAITING' : isBlocked(jobId) ? 'BLOCKED' : 'READY';
    return { jobId, laneId, state } as const;
  };
  return {
    readOpenJobs: async (ids) => ids.map(jobOf),
    readDependencies: async (ids) =>
      ids.flatMap((jobId) => (dependencies.get(jobId) ?? []).map((one, number) => ({ ...one, jobId, number }))),
    readWaitingChildren: async (keys, limit) =>
      keys
        .flatMap((key) =>
          children.filter(
            ({ parentJobId, jobId, step }) =>
              parentJobId === key.jobId && (key.step ?? step) === step && isBlocked(jobId),
          ),
        )
        .slice(0, limit),
    readTargets: async (_, ids) => ids.map(jobOf),
    readSteps: async (keys) =>
      keys.flatMap(({ jobId, step }) => {
        const state = flows[places.get(jobId) ?? -1]?.states[step];
        return state ? [{ jobId, step, state }] : [];
      }),
    readStages: async (ids) => ids.map((jobId) => ({ jobId, ...(flows[places.get(jobId) as number] as Flow) })),
    readAncestors: async (id) =>
      children
        .filter(({ jobId }) => jobId === id)
        .map(({ parentJobId, step }) => ({ jobId: parentJobId, laneId: places.get(parentJobId) as number, step })),
  };
}

function lanesOf(flows: readonly Flow[]): Pick<Lanes, 'load' | 'get'> {
  const bodies = flows.map(({ steps }): Workflow => {
    const made = steps.map(({ needs, role, rule }, i) => makeStep(name(i), needs.map(name), { role, rule }));
    return { failureMode: 'FAIL_FAST', steps: made };
  });
  const get = (laneId: number) => ({ definition: 'd', definitionBody: { name: 'd', workflow: bodies[laneId] } });
  return { get, load: async () => {} } as unknown as Pick<Lanes, 'load' | 'get'>;
}

const targets = fc.tuple(fc.constantFrom('STEP', 'STEP', 'FLOW', 'CHILD', 'OTHER'), fc.nat(1), fc.nat(STEPS - 1));
const worlds = fc.record({
  flows: fc.array(drawn, { minLength: 1, maxLength: 2 }),
  /** For each waiting job, by index. */
  edges: fc.array(fc.tuple(fc.nat(20), targets), { maxLength: 8 }),
  waiter: fc.nat(20),
  isNew: fc.boolean(),
  asked: fc.array(targets, { minLength: 1, maxLength: 2 }),
});

describe('a circle across running workflows', () => {
  it('is found exactly when one exists', async () => {
    let circles = 0;
    await fc.assert(
      fc.asyncProperty(worlds, async ({ flows: all, edges, waiter, isNew, asked }) => {
        const flows = all.map(flowOf);
        const children = flows.flatMap(childrenOf);
        const jobs = [...children.map(({ jobId }) => jobId), 'x0', 'x1', 'x2'];
        const jobId = jobs[waiter % jobs.length] as string;
        const child = children.find((one) => one.jobId === jobId);
        const given = edges.map(([i, target]) => [jobs[i % jobs.length] as string, targetOf(flows, target)] as const);
        // A job that is only now created waits for nothing yet, and nothing waits for it.
        const isMade = !(isNew && child && child.step < 10_000);
        const isThere = ({ on }: Dependency) => isMade || targetKey(on) !== jobId;
        const kept = given.filter(([from, to]) => (isMade || from !== jobId) && isThere(to));
        const dependencies = new Map<string, Dependency[]>();
        for (const [from, to] of kept) dependencies.set(from, [...(dependencies.get(from) ?? []), to]);
        const waits = [
          ...flows.flatMap((flow, i) => [...waitsWithin(flow, i)]),
          ...kept.map(([from, { on }]) => [from, targetKey(on)] as const),
        ];
        const wanted = asked.map((one) => targetOf(flows, one)).filter(isThere);
        const who: Waiter = isMade
          ? { namespace: 'n', jobId }
          : {
              ...{ namespace: 'n', jobId: undefined, parentJobId: child?.parentJobId },
              parentStep: { step: child?.step as number, name: 'new' },
            };
        const error = await cycleOf(storeOf(flows, dependencies), lanesOf(flows), who, wanted, 'f');
        const expected = reaches(
          waits,
          wanted.map(({ on }) => targetKey(on)),
          jobId,
        );
        if (expected) circles++;
        expect(error?.reason).toBe(expected ? 'DEPENDENCY_CYCLE' : undefined);
      }),
      { numRuns: 3_000 },
    );
    expect(circles).toBeGreaterThan(300);
  });

  it('is ruled out even in the largest workflows, unless too many jobs of one wait', async () => {
    const large = (state: StepState): Flow => ({
      ...{ phase: 'WORK', stopReason: 'NO', undone: undefined },
      steps: Array.from({ length: 10_000 }, (_, i) => ({
        ...{ role: i === 9_999 ? 'FINALLY' : 'NORMAL', rule: 'ALL_SUCCESS' },
        needs: i > 0 && i < 9_999 && state === 'WAITING' ? [i - 1] : [],
      })),
      states: Array.from({ length: 10_000 }, (_, i) => (i === 0 ? 'RUNNING' : i === 9_999 ? 'WAITING' : state)),
    });
    const final: Dependency = {
      on: { kind: 'STEP', workflowJobId: 'w0', step: name(9_999), number: 9_999 },
      condition: 'ENDED',
    };
    const other: Dependency = { on: { kind: 'JOB', jobId: 'x1' }, condition: 'ENDED' };
    for (const [state, refused] of [
      ['WAITING', undefined],
      ['RUNNING', 'DEPENDENCY_GRAPH_TOO_LARGE'],
    ] as const) {
      const flow = large(state);
      const blocked = new Map(childrenOf(flow, 0).map(({ jobId }) => [jobId, [other]]));
      const who: Waiter = { namespace: 'n', jobId: 'x0' };
      const error = await cycleOf(storeOf([flow], blocked), lanesOf([flow]), who, [final], 'f');
      expect(error?.reason).toBe(refused);
    }
  });
});
