/**
 * Needs by prefix. In the order of names, the steps of a role whose names begin with the same text follow each other:
 * a prefix stands for one range of that order, and two ranges are either disjoint or one contains the other.
 */
import type { StepRole, WorkflowStep } from './workflow.ts';

/** Positions in the order of names of a role, without the end. */
type Range = readonly [begin: number, end: number];
/** The fields that are read here. */
type NeedingStep = Pick<WorkflowStep, 'name' | 'role' | 'needsPrefixes'>;

/** Max ranges remembered. */
const MAX_RANGES = 10_000;

/** Number of needs over all steps. A step that is needed by name and by prefix counts twice. */
export function countNeeds(steps: readonly (NeedingStep & Pick<WorkflowStep, 'needs'>)[]): number {
  const prefixed = new PrefixedNeeds(steps);
  return steps.reduce((sum, { needs }, i) => sum + needs.length + prefixed.count(i), 0);
}

export class PrefixedNeeds {
  readonly #steps: readonly NeedingStep[];
  readonly #orders = new Map<StepRole, Int32Array>();
  readonly #ranges = new Map<string, Range>();
  /** Steps with the same prefixes mostly follow each other. */
  #last: { readonly key: string; readonly matching: readonly number[] } | undefined;

  constructor(steps: readonly NeedingStep[]) {
    this.#steps = steps;
  }

  /**
   * All steps that a step needs, each once: `named`, which are those that it needs by name, then the others that its
   * prefixes match, by number. The only place where prefixes become steps.
   */
  needs(step: number, named: readonly number[]): readonly number[] {
    const { name, role, needsPrefixes } = this.#step(step);
    if (!needsPrefixes) return named;
    const matching = this.#matching(role, needsPrefixes);
    if (named.length === 0 && !needsPrefixes.some((prefix) => name.startsWith(prefix))) return matching;
    const known = new Set(named).add(step);
    return [...named, ...matching.filter((other) => !known.has(other))];
  }

  #matching(role: StepRole, prefixes: readonly string[]): readonly number[] {
    const key = `${role} ${prefixes.join()}`;
    if (this.#last?.key === key) return this.#last.matching;
    const order = this.#order(role);
    const matching = this.#rangesOf(role, prefixes).flatMap(([begin, end]) => [...order.subarray(begin, end)]);
    matching.sort((one, other) => one - other);
    this.#last = { key, matching };
    return matching;
  }

  /** How many other steps its prefixes match. Takes no longer for many: a few prefixes may stand for millions of needs. */
  count(step: number): number {
    const { name, role, needsPrefixes = [] } = this.#step(step);
    const all = this.#rangesOf(role, needsPrefixes).reduce((sum, [begin, end]) => sum + end - begin, 0);
    return needsPrefixes.some((prefix) => name.startsWith(prefix)) ? all - 1 : all;
  }

  /** Whether the prefix matches another step of the same role. */
  matches(step: number, prefix: string): boolean {
    const { name, role } = this.#step(step);
    const [begin, end] = this.#range(role, prefix);
    return end - begin > (name.startsWith(prefix) ? 1 : 0);
  }

  /** Disjoint, in order. */
  #rangesOf(role: StepRole, prefixes: readonly string[]): Range[] {
    const ranges = prefixes.map((prefix) => this.#range(role, prefix));
    let last = 0;
    return ranges
      .sort((one, other) => one[0] - other[0] || other[1] - one[1])
      .filter(([, end]) => {
        const isNew = end > last;
        if (isNew) last = end;
        return isNew;
      });
  }

  #range(role: StepRole, prefix: string): Range {
    const key = `${role} ${prefix}`;
    const known = this.#ranges.get(key);
    if (known) return known;
    const begin = this.#first(role, (name) => name >= prefix);
    const end = this.#first(role, (name) => name >= prefix && !name.startsWith(prefix));
    if (this.#ranges.size >= MAX_RANGES) this.#ranges.clear();
    this.#ranges.set(key, [begin, end]);
    return [begin, end];
  }

  /** The first position in the order of names from which on all names are so. */
  #first(role: StepRole, isSo: (name: string) => boolean): number {
    const order = this.#order(role);
    let [low, high] = [0, order.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isSo(this.#step(order[middle] as number).name)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #order(role: StepRole): Int32Array {
    const known = this.#orders.get(role);
    if (known) return known;
    const numbers = [...this.#steps.keys()].filter((number) => this.#step(number).role === role);
    const nameOf = (number: number) => this.#step(number).name;
    // By code units, as prefixes are compared.
    numbers.sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : nameOf(one) > nameOf(other) ? 1 : one - other));
    const order = Int32Array.from(numbers);
    this.#orders.set(role, order);
    return order;
  }

  #step(step: number): NeedingStep {
    return this.#steps[step] as NeedingStep;
  }
}
