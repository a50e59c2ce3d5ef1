/** Jobs that depend on each other, on steps of workflows and on assets; some get more dependencies later. */
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { HandlerScript } from '../nodes/handler-script.ts';
import { type PlannedAct, planActs } from './acts.ts';
import { type FlowShape, type SubmittedFlow, scriptOf } from './flows.ts';

export const conditions = { SUCCEEDED: 1, ENDED: 2, FAILED: 3 } as const;
export type PlannedConditionOf = keyof typeof conditions;

/** Jobs and workflows by their submitted names; unknown ones are left out. */
export type PlannedDependency =
  | { readonly kind: 'JOB'; readonly name: string; readonly condition: PlannedConditionOf }
  | { readonly kind: 'STEP'; readonly name: string; readonly step: string; readonly condition: PlannedConditionOf }
  | { readonly kind: 'ASSET' };

export interface PlannedNode {
  /** Names the call that submits it. */
  readonly name: string;
  readonly at: number;
  readonly definition: 'plain' | 'publisher' | 'tidy';
  readonly script: HandlerScript;
  readonly delayMs: number | undefined;
  readonly expireMs: number | undefined;
  readonly on: readonly PlannedDependency[];
  readonly acts: readonly PlannedAct[];
}

/** A job gets another dependency. */
export interface PlannedAddition {
  readonly name: string;
  readonly at: number;
  readonly on: readonly PlannedDependency[];
}

export interface Net {
  readonly nodes: readonly PlannedNode[];
  readonly additions: readonly PlannedAddition[];
}

const conditionNames = Object.keys(conditions) as PlannedConditionOf[];

function conditionOf(random: Prng): PlannedConditionOf {
  return random.chance(0.5) ? 'SUCCEEDED' : random.pick(conditionNames);
}

function onOf(random: Prng, before: readonly string[], flows: readonly SubmittedFlow[]): PlannedDependency[] {
  const jobs = Array.from({ length: random.pick([0, 1, 1, 2]) }, () => random.pick(before));
  const ons: PlannedDependency[] = [...new Set(jobs)].flatMap((name) =>
    name ? [{ kind: 'JOB', name, condition: conditionOf(random) }] : [],
  );
  const { flow } = random.pick(flows);
  if (random.chance(0.2)) {
    const step = random.pick(flow.steps).name;
    ons.push({ kind: 'STEP', name: flow.name, step, condition: conditionOf(random) });
  }
  if (random.chance(0.1)) ons.push({ kind: 'JOB', name: flow.name, condition: 'ENDED' });
  if (random.chance(0.2)) ons.push({ kind: 'ASSET' });
  return ons;
}

function nodesOf(random: Prng, { until, leaseMs }: FlowShape, flows: readonly SubmittedFlow[]): PlannedNode[] {
  const nodes: PlannedNode[] = [];
  let at = random.between(0, 0.6) * until;
  for (let i = random.int(4, 8); i > 0; i--) {
    at += random.pick([3, 30, 300, 0.2 * leaseMs]);
    const name = `node-${nodes.length}`;
    const delayMs = random.chance(0.3) ? random.between(100, leaseMs) : undefined;
    const on = onOf(
      random,
      nodes.map((node) => node.name),
      flows,
    );
    nodes.push({
      ...{ name, at, delayMs, on },
      definition: random.pick(['plain', 'plain', 'publisher', 'tidy']),
      script: scriptOf(random, `${name}.0`, leaseMs),
      // There may be no further publication.
      expireMs: on.some(({ kind }) => kind === 'ASSET') ? random.between(0.5, 4) * leaseMs : undefined,
      acts: planActs(random, { leaseMs, delayMs, cancels: 0.15 }).filter(({ when }) => when === 'later'),
    });
  }
  return nodes;
}

/** Two or three jobs that are to wait for each other, by concurrent calls: one of them closes a cycle. */
function circleOf(random: Prng, { until, leaseMs }: FlowShape): Net {
  const at = random.between(0, 0.7) * until;
  const names = Array.from({ length: random.pick([2, 2, 3]) }, (_, i) => `round-${i}`);
  const delayMs = random.between(0.3, 1.5) * leaseMs;
  const nodes = names.map((name): PlannedNode => {
    const script = { ...scriptOf(random, `${name}.0`, leaseMs), kills: false };
    return { name, at, definition: 'plain', script, delayMs, expireMs: undefined, on: [], acts: [] };
  });
  const together = at + random.between(100, 400);
  const additions = names.map((name, i): PlannedAddition => {
    const next = names[(i + 1) % names.length] as string;
    return { name, at: together + random.between(0, 4), on: [{ kind: 'JOB', name: next, condition: 'ENDED' }] };
  });
  return { nodes, additions };
}

/** A job that waits for a step, and whose end the workflow is to wait for, possibly before its start. */
function circleWith(random: Prng, { at, flow }: SubmittedFlow, { leaseMs }: FlowShape): Net {
  const name = `ring-${flow.name}`;
  const script = { ...scriptOf(random, `${name}.0`, leaseMs), kills: false };
  const step = random.pick(flow.steps).name;
  const on = [{ kind: 'STEP', name: flow.name, step, condition: 'ENDED' }] as const;
  const soon = at + random.between(5, 200);
  const rest = { definition: 'plain', script, delayMs: undefined, expireMs: undefined, acts: [] } as const;
  return {
    nodes: [{ name, at: soon, on, ...rest }],
    additions: [
      { name: flow.name, at: soon + random.between(20, 200), on: [{ kind: 'JOB', name, condition: 'ENDED' }] },
    ],
  };
}

/** A job that is cancelled before it starts, and jobs that wait for its success and for its end. */
function fallOf(random: Prng, { until, leaseMs }: FlowShape): Net {
  const at = random.between(0, 0.6) * until;
  const script = (name: string) => ({ ...scriptOf(random, `${name}.0`, leaseMs), kills: false });
  const rest = { definition: 'plain', delayMs: undefined, expireMs: undefined, on: [], acts: [] } as const;
  const cancel = { kind: 'cancel', when: 'later', ms: random.between(100, 0.5 * leaseMs) } as const;
  const fallen = { ...rest, name: 'fallen', at, script: script('fallen'), delayMs: leaseMs, acts: [cancel] };
  const behind = (['SUCCEEDED', 'ENDED', 'FAILED'] as const).map((condition): PlannedNode => {
    const name = `behind-${condition.toLowerCase()}`;
    const on = [{ kind: 'JOB', name: 'fallen', condition }] as const;
    return { ...rest, name, at: at + random.between(30, 80), script: script(name), on };
  });
  return { nodes: [fallen, ...behind], additions: [] };
}

function additionsTo(random: Prng, nodes: readonly PlannedNode[], flows: readonly SubmittedFlow[]): PlannedAddition[] {
  return Array.from({ length: random.int(0, 3) }, (): PlannedAddition => {
    const { name, at, delayMs = 0, expireMs } = random.pick(nodes);
    const others = nodes.map((node) => node.name).filter((other) => other !== name);
    // There may be no further publication.
    const on = onOf(random, others, flows).filter(({ kind }) => kind !== 'ASSET' || expireMs !== undefined);
    return { name, at: at + random.between(0, delayMs + 100), on };
  }).filter(({ on }) => on.length > 0);
}

export function planNet(random: Prng, shape: FlowShape, flows: readonly SubmittedFlow[]): Net {
  const nets: Net[] = [];
  if (random.chance(0.5)) {
    const nodes = nodesOf(random, shape, flows);
    nets.push({ nodes, additions: additionsTo(random, nodes, flows) });
  }
  if (random.chance(0.3)) nets.push(circleOf(random, shape));
  if (random.chance(0.3)) nets.push(fallOf(random, shape));
  for (const flow of flows) if (flow.delayMs !== undefined) nets.push(circleWith(random, flow, shape));
  return { nodes: nets.flatMap((net) => net.nodes), additions: nets.flatMap((net) => net.additions) };
}
