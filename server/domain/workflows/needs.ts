/** Which steps need which, and the problems in that. Nothing here is recursive: a workflow may be a chain of 10,000. */
import { nearName } from '../base/near-name.ts';
import type { Problems } from './checks/problems.ts';
import { countNeeds, PrefixedNeeds } from './prefixed-needs.ts';
import { MAX_EDGES, type WorkflowStep } from './workflow.ts';

export interface Needs {
  /** Step number by name; the first step if two share a name. */
  readonly numbers: ReadonlyMap<string, number>;
  /** For each step, the numbers of the valid steps that it needs. */
  readonly of: readonly (readonly number[])[];
}

/** Bounds for suggestions of similar names, which are expensive: unknown names per workflow, and steps compared. */
const MAX_SUGGESTED = 10;
const MAX_SCANNED = 1_000;

export function needsOf(steps: readonly WorkflowStep[], field: string, problems: Problems): Needs {
  const numbers = numbersOf(steps, field, problems);
  const edges = countNeeds(steps);
  if (edges > MAX_EDGES) {
    problems.add(
      field,
      `have ${edges} needs in all; at most ${MAX_EDGES} are allowed. Put a step between those that many need`,
    );
    return { numbers, of: steps.map(() => []) };
  }
  const prefixed = new PrefixedNeeds(steps);
  const near = nearest([...numbers.keys()]);
  const of = steps.map((step, i) => {
    reportPrefixes(step, i, prefixed, `${field}[${i}].needs_prefixes`, problems);
    return prefixed.needs(i, namedBy(steps, step, i, numbers, near, `${field}[${i}].needs`, problems));
  });
  return { numbers, of };
}

function numbersOf(steps: readonly WorkflowStep[], field: string, problems: Problems): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const [i, { name }] of steps.entries()) {
    const first = numbers.get(name);
    if (first === undefined) numbers.set(name, i);
    else problems.add(`${field}[${i}].name`, `is the name of ${field}[${first}] too; each step has a name of its own`);
  }
  return numbers;
}

/** The valid steps that a step needs by name. */
function namedBy(
  steps: readonly WorkflowStep[],
  step: WorkflowStep,
  self: number,
  numbers: ReadonlyMap<string, number>,
  near: (name: string) => string | undefined,
  field: string,
  problems: Problems,
): number[] {
  const known = new Map<number, number>();
  for (const [i, name] of step.needs.entries()) {
    const number = numbers.get(name);
    const problem = number === undefined ? unknown(name, near) : problemOf(step, steps[number], known.get(number));
    if (problem) problems.add(`${field}[${i}]`, problem);
    else if (number !== self) known.set(number as number, i);
  }
  return [...known.keys()];
}

function reportPrefixes(
  { needsPrefixes = [], role }: WorkflowStep,
  self: number,
  prefixed: PrefixedNeeds,
  field: string,
  problems: Problems,
): void {
  const known = new Map<string, number>();
  for (const [i, prefix] of needsPrefixes.entries()) {
    const before = known.get(prefix);
    if (prefix === '') problems.add(`${field}[${i}]`, 'is empty; write the beginning of the names of other steps');
    else if (before !== undefined)
      problems.add(`${field}[${i}]`, `is there already as needs_prefixes[${before}]; name it once`);
    else if (!prefixed.matches(self, prefix))
      problems.add(
        `${field}[${i}]`,
        `is the beginning of no other step's name of the role ${role}; add the steps, or leave the prefix out`,
      );
    known.set(prefix, before ?? i);
  }
}

function unknown(name: string, near: (name: string) => string | undefined): string {
  const meant = near(name);
  return `is no step of this workflow${meant ? `; did you mean ${meant}?` : '; add the step, or leave the need out'}`;
}

function problemOf(step: WorkflowStep, need: WorkflowStep | undefined, before: number | undefined): string | undefined {
  if (need === step) return 'is the step itself, which can not wait for itself';
  if (before !== undefined) return `is there already as needs[${before}]; name it once`;
  if (need && need.role !== step.role)
    return `is a step of the role ${need.role}, and this one of ${step.role}: steps of a role wait for each other only`;
  return undefined;
}

function nearest(names: readonly string[]): (name: string) => string | undefined {
  let left = names.length > MAX_SCANNED ? 0 : MAX_SUGGESTED;
  return (name) => (left-- > 0 && name.length < 64 ? nearName(name, names) : undefined);
}
