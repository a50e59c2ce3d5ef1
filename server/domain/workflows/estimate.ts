/** Progress of a workflow and its estimated end, from the durations of its steps so far. */
import type { Graph } from './graph.ts';
import { type Phase, phases, roleOf } from './phases.ts';
import type { StepState } from './step-state.ts';
import type { StepRole } from './workflow.ts';

export interface Items {
  readonly size: number;
  /** Ended in any way. */
  readonly ended: number;
}

/** When a step's job, or that of its first item, was created, and when it ended; undefined if unknown. */
export interface StepTimes {
  readonly startTimeUs: number | undefined;
  readonly endTimeUs: number | undefined;
  readonly items: Items | undefined;
}

export interface WorkflowSoFar {
  readonly phase: Phase;
  readonly states: ReadonlyMap<number, StepState>;
  /** A sample of the steps that run or have ended. */
  readonly times: ReadonlyMap<number, StepTimes>;
  readonly nowUs: number;
}

const isOpen = (state: StepState | undefined) => state === undefined || state === 'WAITING' || state === 'RUNNING';

const roles: readonly StepRole[] = ['NORMAL', 'ON_FAILURE', 'FINALLY'];

const isBehind = (phase: Phase, role: StepRole) =>
  phases.indexOf(phase) > phases.findIndex((one) => roleOf(one) === role);

/** All steps of a phase that is over count as over. */
function isOver(graph: Graph, step: number, { phase, states }: WorkflowSoFar): boolean {
  return isBehind(phase, graph.step(step).role) || !isOpen(states.get(step));
}

/** Share of the steps that are over, from 0 to 1. A running fan-out counts by its ended items. */
export function shareDone(graph: Graph, soFar: WorkflowSoFar): number {
  let done = 0;
  for (let step = 0; step < graph.size; step++) {
    const items = soFar.times.get(step)?.items;
    if (isOver(graph, step, soFar)) done++;
    else if (items && items.size > 0) done += Math.min(1, items.ended / items.size);
  }
  return done / graph.size;
}

/**
 * When the last step may end: after the longest path through the remaining steps, if each takes as long as the ended
 * steps of its definition did, and items continue to end at the same rate. Undefined if nothing has ended that gives a
 * duration.
 */
export function estimatedEndUs(graph: Graph, soFar: WorkflowSoFar): number | undefined {
  const taken = new Taken(graph, soFar);
  if (!taken.isKnown) return undefined;
  const left = longestWay(graph, (step) => (isOver(graph, step, soFar) ? 0 : taken.leftOf(step)));
  // Steps for a failure are not expected before there is one.
  const ahead = roles.filter((role) => role !== 'ON_FAILURE' || isBehind(soFar.phase, 'NORMAL'));
  return Math.round(soFar.nowUs + ahead.reduce((sum, role) => sum + left[role], 0));
}

/** The longest sum along needs, for each role: steps need only steps of their own role. */
function longestWay(graph: Graph, leftOf: (step: number) => number): Record<StepRole, number> {
  const longest: Record<StepRole, number> = { NORMAL: 0, ON_FAILURE: 0, FINALLY: 0 };
  const before = new Float64Array(graph.size);
  const open = Int32Array.from(graph.steps, (_, step) => graph.needCount(step));
  const free = [...open.keys()].filter((step) => open[step] === 0);
  for (let step = free.pop(); step !== undefined; step = free.pop()) {
    const end = (before[step] ?? 0) + leftOf(step);
    const { role } = graph.step(step);
    longest[role] = Math.max(longest[role], end);
    for (const next of graph.successors(step)) {
      before[next] = Math.max(before[next] ?? 0, end);
      open[next] = (open[next] ?? 0) - 1;
      if (open[next] === 0) free.push(next);
    }
  }
  return longest;
}

/** Durations of the steps of one definition. */
interface OfDefinition {
  /** Steps with known durations, and the sum of those. */
  measured: number;
  sumUs: number;
  /** All that have ended by now; `running`: those that run. */
  ended: number;
  running: number;
  firstStartUs: number;
}

class Taken {
  readonly #graph: Graph;
  readonly #soFar: WorkflowSoFar;
  readonly #byDefinition = new Map<string, OfDefinition>();
  /** For definitions without an ended step: the average duration of a step, or else of an item. */
  readonly #usual: number | undefined;

  constructor(graph: Graph, soFar: WorkflowSoFar) {
    this.#graph = graph;
    this.#soFar = soFar;
    for (const [step, state] of soFar.states) this.#count(step, state);
    this.#usual = this.#usualUs();
  }

  get isKnown(): boolean {
    return this.#usual !== undefined;
  }

  leftOf(step: number): number {
    const times = this.#soFar.times.get(step);
    const usual = this.#usual ?? 0;
    if (this.#soFar.states.get(step) !== 'RUNNING') return meanOf(this.#of(step)) ?? usual;
    const elapsed = this.#since(times?.startTimeUs);
    if (this.#graph.step(step).fanOut) {
      const { size, ended } = times?.items ?? { size: 0, ended: 0 };
      return ended > 0 ? (elapsed * (size - ended)) / ended : usual;
    }
    return Math.max(0, (meanOf(this.#of(step)) ?? usual) - elapsed, this.#queueUs(this.#of(step)));
  }

  /** Many that run at once wait for the same workers: they continue to end at the same rate. */
  #queueUs({ measured, sumUs, ended, running, firstStartUs }: OfDefinition): number {
    if (measured === 0 || running < 2) return 0;
    const busyUs = Math.min(this.#since(firstStartUs), (sumUs / measured) * ended);
    return ((running - 1) * busyUs) / ended;
  }

  #count(step: number, state: StepState): void {
    const of = this.#of(step);
    const { startTimeUs, endTimeUs } = this.#soFar.times.get(step) ?? {};
    of.firstStartUs = Math.min(of.firstStartUs, startTimeUs ?? Number.POSITIVE_INFINITY);
    if (state === 'RUNNING') of.running++;
    if (state !== 'SUCCEEDED' && state !== 'FAILED') return;
    of.ended++;
    if (startTimeUs === undefined || endTimeUs === undefined) return;
    of.measured++;
    of.sumUs += Math.max(0, endTimeUs - startTimeUs);
  }

  #usualUs(): number | undefined {
    const all = [...this.#byDefinition.values()];
    const measured = all.reduce((sum, one) => sum + one.measured, 0);
    if (measured > 0) return all.reduce((sum, one) => sum + one.sumUs, 0) / measured;
    let [ended, us] = [0, 0];
    for (const { items, startTimeUs } of this.#soFar.times.values()) {
      if (!items || items.ended === 0) continue;
      ended += items.ended;
      us += this.#since(startTimeUs);
    }
    return ended > 0 ? us / ended : undefined;
  }

  #since(timeUs: number | undefined): number {
    return timeUs === undefined ? 0 : Math.max(0, this.#soFar.nowUs - timeUs);
  }

  #of(step: number): OfDefinition {
    const { definition } = this.#graph.step(step);
    let of = this.#byDefinition.get(definition);
    if (!of) {
      of = { measured: 0, sumUs: 0, ended: 0, running: 0, firstStartUs: Number.POSITIVE_INFINITY };
      this.#byDefinition.set(definition, of);
    }
    return of;
  }
}

function meanOf({ measured, sumUs }: OfDefinition): number | undefined {
  return measured > 0 ? sumUs / measured : undefined;
}
