/** The workflows that clients define and submit in one simulation, and the requests for them. */

import { workflowProblems } from '../../../server/domain/workflows/checks/validate.ts';
import {
  type FailureMode,
  type FanOut,
  type StepRole,
  type TriggerRule,
  triggerRules,
  type Workflow,
} from '../../../server/domain/workflows/workflow.ts';
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { HandlerScript } from '../nodes/handler-script.ts';
import type { PlannedAct } from './acts.ts';
import { isWait } from './definitions.ts';

/** `input`: a truth value of the workflow's input. `state`: whether a step has succeeded. */
export type PlannedCondition =
  | { readonly kind: 'input'; readonly holds: boolean }
  | { readonly kind: 'state'; readonly of: string };

export interface PlannedStep {
  readonly name: string;
  readonly role: StepRole;
  readonly rule: TriggerRule;
  readonly needs: readonly string[];
  /** The definition of a task or of `inner`. */
  readonly definition: string;
  readonly inner: PlannedFlow | undefined;
  /** One for each of its jobs: by item, by iteration, or a single one; none for `inner`. */
  readonly scripts: readonly HandlerScript[];
  readonly condition: PlannedCondition | undefined;
  readonly fanOut: FanOut | undefined;
  readonly loop: { readonly maxIterations: number } | undefined;
  readonly delayMs: number | undefined;
  readonly expireAfterMs: number | undefined;
  /** Results match for steps of one definition with one key. */
  readonly cache?: { readonly key: string; readonly maxAgeMs: number };
}

/** A workflow of a definition with the same name. */
export interface PlannedFlow {
  readonly name: string;
  readonly steps: readonly PlannedStep[];
  readonly failureMode: FailureMode;
  readonly totalTimeoutMs: number | undefined;
}

export interface SubmittedFlow {
  readonly at: number;
  readonly flow: PlannedFlow;
  readonly delayMs: number | undefined;
  readonly acts: readonly PlannedAct[];
  /** When a user cancels the job of one of its steps, in ms after the submission. */
  readonly meddleMs: number | undefined;
  /** A user waits for its end, and retries it if it did not succeed. */
  readonly retries: boolean;
}

export interface FlowShape {
  /** Workflows are submitted until then, in ms. */
  readonly until: number;
  readonly leaseMs: number;
}

/** Prefix of workflow definitions, which identifies their jobs. */
const PREFIX = 'flow-';
const BATCH = 'muster.batch';

/** The control plane runs it, and no worker does. */
export function hasNoWorker(definition: string | undefined): boolean {
  return definition !== undefined && (definition.startsWith(PREFIX) || definition === BATCH || isWait(definition));
}

export function isBatch(definition: string | undefined): boolean {
  return definition === BATCH;
}

const tasks = ['plain', 'plain', 'plain', 'stubborn', 'timed', 'tidy', 'zoned'];
const rules = Object.keys(triggerRules) as TriggerRule[];

export function scriptOf(random: Prng, owner: string, leaseMs: number): HandlerScript {
  const draw = random.next();
  const failsForGood = draw < 0.14;
  return {
    owner,
    ms: Math.round(random.chance(0.08) ? random.between(0.2, 1) * leaseMs : random.pick([1, 5, 20, 60, 300])),
    steps: random.chance(0.1) ? 1 : 0,
    fails: failsForGood ? 99 : draw < 0.24 ? 1 : 0,
    failure: 'Trouble',
    exitCode: 0,
    nonRetryable: failsForGood,
    infrastructure: false,
    retryDelayMs: 0,
    extensions: [],
    kills: random.chance(0.01),
    deaf: random.chance(0.1),
  };
}

function roleOf(random: Prng): StepRole {
  const draw = random.next();
  return draw < 0.72 ? 'NORMAL' : draw < 0.86 ? 'FINALLY' : 'ON_FAILURE';
}

function needsOf(random: Prng, before: readonly PlannedStep[]): string[] {
  if (before.length === 0 || random.chance(0.25)) return [];
  // Mostly the last steps: chains, and sometimes a join.
  const recent = before.slice(-3);
  return [...new Set(Array.from({ length: random.pick([1, 1, 2, 3]) }, () => random.pick(recent).name))];
}

function fanOutOf(random: Prng, items: number): FanOut {
  const last = random.chance(0.5) ? random.int(0, 2) : undefined;
  const spans = last === undefined ? {} : { indexes: [[0, last] as const] };
  const most = Math.max(1, last === undefined ? items : last + 1);
  return {
    items: '',
    ...(random.chance(0.6) ? { maxParallel: random.int(1, 3) } : {}),
    ...(random.chance(0.4) ? { maxFailed: random.int(0, 2) } : {}),
    ...(random.chance(0.35) ? { successPolicy: [{ ...spans, count: random.int(1, most) }] } : {}),
  };
}

/**
 * An expression may only name steps that have certainly ended: the single need of a step that waits for it, or the
 * work.
 */
function conditionOf(
  random: Prng,
  { role, rule, needs }: Pick<PlannedStep, 'role' | 'rule' | 'needs'>,
  work: readonly string[],
): PlannedCondition | undefined {
  if (!random.chance(0.25)) return undefined;
  const known = role === 'NORMAL' ? (needs.length === 1 && rule !== 'ALWAYS' ? needs : []) : work;
  if (known.length > 0 && random.chance(0.4)) return { kind: 'state', of: random.pick(known) };
  return { kind: 'input', holds: random.chance(0.5) };
}

type Jobs = Pick<PlannedStep, 'definition' | 'inner' | 'scripts' | 'fanOut' | 'loop'>;

function jobsOf(random: Prng, name: string, leaseMs: number, depth: number): Jobs {
  const draw = random.next();
  const own = { definition: random.pick(tasks), inner: undefined, fanOut: undefined, loop: undefined };
  const script = (i: number) => scriptOf(random, `${name}/${i}`, leaseMs);
  if (draw < 0.16) {
    const items = random.pick([0, 1, 3, 4, 5, 7]);
    const scripts = Array.from({ length: items }, (_, i) => ({ ...script(i), again: false }));
    return { ...own, scripts, fanOut: fanOutOf(random, items) };
  }
  if (draw < 0.26) {
    const maxIterations = random.int(1, 4);
    const wanted = random.int(1, 5);
    // One more than the maximum number of iterations, so that an excess one would have a script.
    const scripts = Array.from({ length: maxIterations + 1 }, (_, i) => ({ ...script(i), again: i + 1 < wanted }));
    return { ...own, scripts, loop: { maxIterations } };
  }
  if (draw < 0.34 && depth < 2) {
    const inner = flowOf(random, name, leaseMs, depth + 1);
    return { ...own, definition: inner.name, inner, scripts: [] };
  }
  return { ...own, scripts: [{ ...script(0), again: false }] };
}

function stepOf(random: Prng, flow: string, steps: readonly PlannedStep[], leaseMs: number, depth: number) {
  const name = `s${steps.length}`;
  const role = steps.length === 0 ? 'NORMAL' : roleOf(random);
  const rule: TriggerRule = random.chance(0.45) ? 'ALL_SUCCESS' : random.pick(rules);
  const needs = needsOf(
    random,
    steps.filter((step) => step.role === role),
  );
  const work = steps.filter((step) => step.role === 'NORMAL').map((step) => step.name);
  return {
    ...{ name, role, rule, needs },
    condition: conditionOf(random, { role, rule, needs }, work),
    ...jobsOf(random, `${flow}-${name}`, leaseMs, depth),
    delayMs: random.chance(0.06) ? random.between(1, 400) : undefined,
    // The short ones expire also without faults.
    expireAfterMs: random.chance(0.1) ? random.between(1, random.chance(0.6) ? 20 : leaseMs) : undefined,
  };
}

/** The form of the product's domain. */
export function bodyOf({ steps, failureMode }: PlannedFlow): Workflow {
  return {
    failureMode,
    steps: steps.map(({ name, role, rule, needs, definition, fanOut }) => ({
      ...{ name, role, rule, needs, definition, definitionVersion: 0 },
      ...(fanOut ? { fanOut: { ...fanOut, items: 'workflow.input' } } : {}),
    })),
  };
}

/** A step that can never start would be refused: such steps wait for any end of their needs. */
function startable(flow: PlannedFlow): PlannedFlow {
  const problems = workflowProblems(bodyOf(flow), 'body');
  let found = problems.next();
  while (!found.done) found = problems.next();
  const bad = new Set(found.value.map(({ field }) => Number(/steps\[(\d+)\]/.exec(field)?.[1])));
  if (bad.size === 0) return flow;
  return startable({
    ...flow,
    steps: flow.steps.map((step, i) => (bad.has(i) ? { ...step, rule: 'ALL_DONE' } : step)),
  });
}

function flowOf(random: Prng, name: string, leaseMs: number, depth = 1): PlannedFlow {
  const steps: PlannedStep[] = [];
  const count = depth === 1 ? random.pick([1, 3, 4, 5, 6, 7, 9, 12]) : random.int(1, 4);
  while (steps.length < count) steps.push(stepOf(random, name, steps, leaseMs, depth));
  return startable({
    name,
    steps,
    failureMode: random.pick(['FAIL_FAST', 'RUN_BRANCHES']),
    totalTimeoutMs: random.chance(0.12) ? Math.round(random.between(0.1, 2) * leaseMs) : undefined,
  });
}

function actsOf(random: Prng, leaseMs: number): PlannedAct[] {
  const later = (kind: PlannedAct['kind'], ms: number): PlannedAct => ({ kind, when: 'later', ms });
  const soon = () => (random.chance(0.5) ? random.between(0, 100) : random.between(0, leaseMs));
  return [
    ...(random.chance(0.3) ? [later('cancel', soon())] : []),
    ...(random.chance(0.1) ? [later('pause', random.between(0, 5)), later('resume', random.between(5, leaseMs))] : []),
    ...(random.chance(0.05) ? [later('update', random.between(0, 5))] : []),
  ];
}

export function planFlows(random: Prng, { until, leaseMs }: FlowShape): SubmittedFlow[] {
  return Array.from({ length: random.pick([1, 2, 2, 3]) }, (_, i) => ({
    at: random.between(0, 0.8) * until,
    flow: flowOf(random, `${PREFIX}${i}`, leaseMs),
    delayMs: random.chance(0.12) ? random.between(1, leaseMs) : undefined,
    acts: actsOf(random, leaseMs),
    meddleMs: random.chance(0.15) ? random.between(20, leaseMs) : undefined,
    retries: random.chance(0.4),
  }));
}

/** All of them, with nested ones, by name. */
export function flowsByName(flows: readonly PlannedFlow[]): Map<string, PlannedFlow> {
  return new Map(
    flows.flatMap((flow) => [[flow.name, flow], ...flowsByName(flow.steps.flatMap(({ inner }) => inner ?? []))]),
  );
}
