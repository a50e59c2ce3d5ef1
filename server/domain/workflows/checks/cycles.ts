/** The order in which steps can run, and the cycles that keep some from ever running. */
import type { Needs } from '../needs.ts';
import type { WorkflowStep } from '../workflow.ts';
import type { Problems } from './problems.ts';

const MAX_SHOWN = 8;

/** The numbers of the steps, each after all that it needs; steps in or behind a cycle are left out. */
export function orderOf({ of }: Needs): number[] {
  const open = of.map((needs) => needs.length);
  const needing: number[][] = of.map(() => []);
  for (const [number, needs] of of.entries()) for (const need of needs) needing[need]?.push(number);
  const order = [...open.keys()].filter((number) => open[number] === 0);
  // The list grows while it is read.
  for (let i = 0; i < order.length; i++)
    for (const number of needing[order[i] as number] as number[]) {
      open[number] = (open[number] as number) - 1;
      if (open[number] === 0) order.push(number);
    }
  return order;
}

/** Reports cycles, step by step: at least one if there are any. */
export function reportCycles(
  steps: readonly WorkflowStep[],
  needs: Needs,
  order: readonly number[],
  field: string,
  problems: Problems,
): void {
  const fine = new Set(order);
  /** The walk in which each step was first met. */
  const met = new Map<number, number>();
  for (const start of steps.keys()) {
    const walk: number[] = [];
    let at: number | undefined = start;
    for (; at !== undefined && !fine.has(at) && !met.has(at); at = needs.of[at]?.find((need) => !fine.has(need))) {
      met.set(at, start);
      walk.push(at);
    }
    if (at === undefined || met.get(at) !== start || fine.has(at)) continue;
    const cycle = walk.slice(walk.indexOf(at));
    const names = cycle.map((number) => (steps[number] as WorkflowStep).name);
    const isNamed = steps[cycle[0] as number]?.needs.includes(names[1 % names.length] as string);
    const place = `${field}[${cycle[0]}].${isNamed ? 'needs' : 'needs_prefixes'}`;
    problems.add(place, `is part of a cycle: ${cycleText(names)}; leave one of these needs out`);
  }
}

/** "a needs c, c needs b, b needs a". */
function cycleText(names: readonly string[]): string {
  const parts = names.map((name, i) => `${name} needs ${names[(i + 1) % names.length]}`);
  if (parts.length <= MAX_SHOWN) return parts.join(', ');
  const left = parts.length - MAX_SHOWN;
  return [...parts.slice(0, MAX_SHOWN - 1), `(${left} more)`, parts.at(-1)].join(', ');
}
