/**
 * Detects dependency cycles: walks from what a job is about to wait for, until it reaches the job itself or something
 * that already waits for the job. The caller supplies the graph node by node, so that no more of it is read than
 * needed.
 */
import { compensatedStep } from '../workflows/compensation.ts';

/** A job, or a step of a workflow by its number. A step's compensation has a number and a name, too. */
export type WaitNode =
  | { readonly kind: 'JOB'; readonly jobId: string }
  | { readonly kind: 'STEP'; readonly jobId: string; readonly step: number; readonly name: string };

/** Maximum hops that are named, so that the text fits into an answer. */
const MAX_NAMED = 40;

/** Maximum nodes visited per walk. */
export const MAX_VISITED = 10_000;

export function keyOfNode(node: WaitNode): string {
  return node.kind === 'JOB' ? node.jobId : `${node.jobId}/${node.step}`;
}

export function nodeText(node: WaitNode): string {
  if (node.kind === 'JOB') return `job ${node.jobId}`;
  const text = `step ${node.name} of workflow ${node.jobId}`;
  return compensatedStep(node.step) === undefined ? text : `compensation of ${text}`;
}

export class WaitWalk {
  /** The node from which each key was reached. */
  readonly #from = new Map<string, WaitNode | undefined>();
  readonly #goals: ReadonlyMap<string, readonly WaitNode[]>;
  readonly #open: WaitNode[] = [];
  #cycle: readonly WaitNode[] | undefined;
  #isGivenUp = false;

  /** `goals`: each is a path that ends at the job; the job's own path is just the job. */
  constructor(start: readonly WaitNode[], goals: readonly (readonly WaitNode[])[]) {
    this.#goals = new Map(goals.flatMap((way) => (way[0] ? [[keyOfNode(way[0]), way] as const] : [])));
    for (const node of start) this.#reach(node, undefined);
  }

  /** The cycle, from the job and back to it. Undefined: none found. */
  get cycle(): readonly WaitNode[] | undefined {
    return this.#cycle;
  }

  get isTooLarge(): boolean {
    return this.#isGivenUp || this.#from.size > MAX_VISITED;
  }

  /** Up to `limit` nodes whose dependencies the caller must add next; empty: the walk is over. */
  next(limit: number): WaitNode[] {
    return this.#cycle || this.isTooLarge ? [] : this.#open.splice(0, limit);
  }

  /** `node` waits for these nodes. */
  add(node: WaitNode, waitsFor: readonly WaitNode[]): void {
    for (const next of waitsFor) this.#reach(next, node);
  }

  /** More of the graph would have to be read than is allowed. */
  giveUp(): void {
    this.#isGivenUp = true;
  }

  #reach(node: WaitNode, from: WaitNode | undefined): void {
    const key = keyOfNode(node);
    if (this.#cycle || this.isTooLarge || this.#from.has(key)) return;
    this.#from.set(key, from);
    const way = this.#goals.get(key);
    if (way) this.#cycle = [...this.#wayTo(node), ...way.slice(1)];
    else this.#open.push(node);
  }

  #wayTo(node: WaitNode): WaitNode[] {
    const way: WaitNode[] = [];
    for (let at: WaitNode | undefined = node; at; at = this.#from.get(keyOfNode(at))) way.push(at);
    return way.reverse();
  }
}

/** The job, then each hop that it waits for, up to the job again. */
export function cycleText(job: string, cycle: readonly WaitNode[]): string {
  const hops = cycle.map(nodeText);
  const rest = hops.length - MAX_NAMED;
  const named =
    rest > 0 ? [...hops.slice(0, MAX_NAMED - 1), `${rest} more, the last of them`, ...hops.slice(-1)] : hops;
  return [job, ...named].join(' waits for ');
}
