/** Jobs whose handlers submit children, and wait for most of them. */
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { ChildScript, HandlerScript } from '../nodes/handler-script.ts';
import { type PlannedAct, planActs } from './acts.ts';
import { type FlowShape, scriptOf } from './flows.ts';

export interface PlannedFamily {
  /** Names the call that submits the parent. */
  readonly name: string;
  readonly at: number;
  readonly script: HandlerScript;
  readonly acts: readonly PlannedAct[];
}

/** Longer after its submission than any parent lives: it starts only if it was not cancelled. */
const LATE_LEASES = 25;

function childOf(random: Prng, owner: string, leaseMs: number, depth: number): ChildScript {
  const isParent = depth < 2 && random.chance(0.2);
  const isLeftBehind = random.chance(0.15);
  const script = scriptOf(random, owner, leaseMs);
  const delayMs = random.chance(0.15) ? random.between(1, 0.5 * leaseMs) : undefined;
  return {
    key: random.chance(0.4) ? `key ${owner}` : undefined,
    definition: isParent ? 'parent' : random.pick(['plain', 'plain', 'timed', 'tidy']),
    script: isParent ? parentOf(random, owner, leaseMs, depth + 1) : script,
    delayMs: isLeftBehind ? LATE_LEASES * leaseMs : delayMs,
    detached: !isLeftBehind && random.chance(0.15),
    isAwaited: !isLeftBehind && random.chance(0.85),
  };
}

function parentOf(random: Prng, owner: string, leaseMs: number, depth: number): HandlerScript {
  const script = scriptOf(random, owner, leaseMs);
  const groups = depth === 1 ? random.pick([1, 1, 2]) : 1;
  return {
    ...script,
    ms: random.pick([1, 5, 60]),
    family: Array.from({ length: groups }, (_, group) =>
      Array.from({ length: random.int(1, depth === 1 ? 3 : 2) }, (__, i) =>
        childOf(random, `${owner}/${group}-${i}`, leaseMs, depth),
      ),
    ),
  };
}

export function planFamilies(random: Prng, { until, leaseMs }: FlowShape): PlannedFamily[] {
  return Array.from({ length: random.pick([1, 1, 2, 3]) }, (_, i) => {
    const name = `family-${i}`;
    return {
      name,
      at: random.between(0, 0.7) * until,
      script: parentOf(random, `${name}.0`, leaseMs, 1),
      acts: planActs(random, { leaseMs, delayMs: undefined, cancels: 0.2 }).filter(({ when }) => when === 'later'),
    };
  });
}
