/** The steps of a workflow by number, with the successors of each. */
import { PrefixedNeeds } from './prefixed-needs.ts';
import type { StepRole, Workflow, WorkflowStep } from './workflow.ts';

/** Precomputed for each role, because it is read often. */
interface Part {
  count: number;
  readonly roots: number[];
  readonly leaves: number[];
}

/** A step's number is its index in the workflow's list of steps. */
export class Graph {
  readonly steps: readonly WorkflowStep[];
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #prefixed: PrefixedNeeds;
  /** For each step the number of steps that it needs. */
  readonly #needCounts: Int32Array;
  /** The successors of all steps in one array: a step's successors lie between its offset and the next step's. */
  readonly #successors: Int32Array;
  readonly #offsets: Int32Array;
  /** Fan-outs whose items another step counts. */
  readonly #counted: ReadonlySet<number>;
  readonly #parts: Readonly<Record<StepRole, Part>>;

  constructor(steps: readonly WorkflowStep[]) {
    this.steps = steps;
    this.#numbers = numbered(steps);
    this.#prefixed = new PrefixedNeeds(steps);
    const needs = steps.map((_, step) => this.needs(step));
    this.#needCounts = Int32Array.from(needs, ({ length }) => length);
    this.#offsets = offsetsOf(needs);
    this.#successors = successorsOf(needs, this.#offsets);
    this.#counted = countedOf(steps, needs);
    this.#parts = this.#partsOf();
  }

  get size(): number {
    return this.steps.length;
  }

  indexOf(name: string): number {
    const step = this.#numbers.get(name);
    if (step === undefined) throw new Error(`the workflow has no step "${name}"`);
    return step;
  }

  step(step: number): WorkflowStep {
    const found = this.steps[step];
    if (!found) throw new Error(`the workflow has no step ${step}`);
    return found;
  }

  /**
   * Those needed by name in the order of the definition, then those needed by prefix. Computed on each call: the largest
   * workflows have a million in total.
   */
  needs(step: number): readonly number[] {
    const named = this.step(step).needs.map((name) => this.indexOf(name));
    return this.#prefixed.needs(step, named);
  }

  needCount(step: number): number {
    return at(this.#needCounts, step);
  }

  /** Steps that need this one, in order. */
  successors(step: number): readonly number[] {
    return [...this.#successors.subarray(this.#offsets[step], this.#offsets[step + 1])];
  }

  /** Whether no other step needs it. */
  isLeaf(step: number): boolean {
    return this.#offsets[step] === this.#offsets[step + 1];
  }

  /** Whether `step` counts the items of `need`, which it needs, and not that as one step. */
  countsItemsOf(step: number, need: number): boolean {
    return this.step(step).countsItems === true && this.step(need).fanOut !== undefined;
  }

  /** Whether another step counts the items of this one. */
  isCountedByItems(step: number): boolean {
    return this.#counted.has(step);
  }

  /** Steps that can start with their phase: they need no step, or their rule waits for none of those that they need. */
  roots(role: StepRole): readonly number[] {
    return this.#parts[role].roots;
  }

  leaves(role: StepRole): readonly number[] {
    return this.#parts[role].leaves;
  }

  /** Number of steps with this role. */
  count(role: StepRole): number {
    return this.#parts[role].count;
  }

  #partsOf(): Record<StepRole, Part> {
    const part = (): Part => ({ count: 0, roots: [], leaves: [] });
    const parts = { NORMAL: part(), ON_FAILURE: part(), FINALLY: part() };
    for (const [step, { role, rule }] of this.steps.entries()) {
      parts[role].count++;
      if (this.needCount(step) === 0 || rule === 'ALWAYS') parts[role].roots.push(step);
      if (this.isLeaf(step)) parts[role].leaves.push(step);
    }
    return parts;
  }
}

/** The workflow must have been validated; any problem throws, because it is a bug. */
export function compileGraph({ steps }: Workflow): Graph {
  const graph = new Graph(steps);
  refuseCycles(graph);
  return graph;
}

function numbered(steps: readonly WorkflowStep[]): Map<string, number> {
  const numbers = new Map(steps.map(({ name }, step) => [name, step]));
  if (numbers.size < steps.length) throw new Error('two steps of the workflow have the same name');
  return numbers;
}

function offsetsOf(needs: readonly (readonly number[])[]): Int32Array {
  const offsets = new Int32Array(needs.length + 1);
  for (const of of needs) for (const need of of) add(offsets, need + 1, 1);
  for (let step = 0; step < needs.length; step++) add(offsets, step + 1, at(offsets, step));
  return offsets;
}

function countedOf(steps: readonly WorkflowStep[], needs: readonly (readonly number[])[]): Set<number> {
  const counted = new Set<number>();
  for (const [step, { countsItems }] of steps.entries())
    if (countsItems) for (const need of needs[step] ?? []) if (steps[need]?.fanOut) counted.add(need);
  return counted;
}

function successorsOf(needs: readonly (readonly number[])[], offsets: Int32Array): Int32Array {
  const successors = new Int32Array(at(offsets, needs.length));
  const next = offsets.slice();
  for (const [step, of] of needs.entries())
    for (const need of of) {
      successors[at(next, need)] = step;
      add(next, need, 1);
    }
  return successors;
}

/** Removes steps that need no remaining step; what can't be removed lies on a cycle or behind one. */
function refuseCycles(graph: Graph): void {
  const open = Int32Array.from(graph.steps, (_, step) => graph.needCount(step));
  const free = [...open.keys()].filter((step) => open[step] === 0);
  let taken = 0;
  for (let step = free.pop(); step !== undefined; step = free.pop()) {
    taken++;
    for (const next of graph.successors(step)) {
      add(open, next, -1);
      if (open[next] === 0) free.push(next);
    }
  }
  if (taken < graph.size) throw new Error('steps of the workflow need each other in a circle');
}

/** Every index here is in range, which the compiler can't know. */
function at(array: Int32Array, index: number): number {
  return array[index] ?? 0;
}

function add(array: Int32Array, index: number, amount: number): void {
  array[index] = at(array, index) + amount;
}
