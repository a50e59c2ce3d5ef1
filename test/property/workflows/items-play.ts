/** Runs a workflow with fan-outs as the engine does, with items that end in any order, and records what has happened. */
import { adoptable } from '../../../server/domain/workflows/adoption.ts';
import {
  beginFanOut,
  decideFanOut,
  type EndedItem,
  endItems,
  openItems,
  startItems,
} from '../../../server/domain/workflows/fan-out.ts';
import { compileGraph, type Graph } from '../../../server/domain/workflows/graph.ts';
import type { EndedStep, EndedStepState } from '../../../server/domain/workflows/step-state.ts';
import { noneEnded } from '../../../server/domain/workflows/trigger-rules.ts';
import { successorsOf, wave } from '../../../server/domain/workflows/wave.ts';
import type { Workflow } from '../../../server/domain/workflows/workflow.ts';
import type { StoredStep, WrittenStep } from '../../../server/engine/ports/workflows.ts';
import { Steps } from '../../../server/engine/workflows/steps/steps.ts';

const MAX_LOST = 10;

export interface Fate {
  /** What becomes of its start: without STARTED it ends at once, without items. */
  readonly start: 'STARTED' | 'SKIPPED' | 'FAILED';
  /** How its job ends, if it is no fan-out. */
  readonly end: 'SUCCEEDED' | 'FAILED';
  /** How its items end. REFUSED: they have no job. */
  readonly items: readonly ('SUCCEEDED' | 'FAILED' | 'SKIPPED' | 'REFUSED')[];
}

export interface ItemsPlan {
  readonly workflow: Workflow;
  /** By number of the step. */
  readonly fates: readonly Fate[];
  /** Choices of the scheduler, repeated in a cycle. */
  readonly picks: readonly number[];
  /** Max items that one transaction starts, and max ends that it takes. */
  readonly pageSize: number;
}

interface Fact {
  state: EndedStepState | undefined;
  /** Empty: it has no items, or does not know them. */
  items: (EndedStepState | undefined)[];
}

/** A job that has an end to report: of a step, or of an item. */
interface Open {
  readonly step: number;
  readonly item: number | undefined;
}

export class ItemsPlay {
  readonly plan: ItemsPlan;
  readonly graph: Graph;
  readonly adopted: readonly number[];
  onWave: (ready: readonly number[], ended: readonly EndedStep[]) => void = () => {};
  #facts: Fact[];
  #stored = new Map<number, WrittenStep>();
  #open: Open[] = [];
  /** Fan-outs with more items to start. */
  #continuing = new Set<number>();
  #steps: Steps;
  #budget = 0;
  #lost = 0;
  #pick = 0;

  /** `retried`: a workflow that has ended, of which this one is a retry. */
  constructor(plan: ItemsPlan, retried?: ItemsPlay) {
    this.plan = plan;
    this.graph = compileGraph(plan.workflow);
    this.#facts = plan.workflow.steps.map(() => ({ state: undefined, items: [] }));
    this.#steps = this.#begin();
    const past = retried ? [...retried.#stored.values()].map((row) => ({ ...row, compensation: undefined })) : [];
    const good = adoptable(this.graph, past);
    this.adopted = good.map(({ step }) => step);
    for (const { step, jobId: _, compensation: __, ...row } of good) {
      this.#steps.put(step, { ...row, counts: noneEnded, neededItems: undefined });
      const items = retried?.factOf(step).items ?? [];
      this.#facts[step] = { state: undefined, items: items.map((item) => item ?? 'SKIPPED') };
    }
  }

  factOf(step: number): Fact {
    return this.#facts[step] as Fact;
  }

  toEnd(): void {
    const adopted = this.adopted.map((step) => ({ step, state: 'SUCCEEDED' as const }));
    const roots = this.graph.roots('NORMAL').filter((step) => !this.adopted.includes(step));
    this.#budget = this.plan.pageSize;
    this.#waves([...adopted, ...this.#start(roots)]);
    this.#commit();
    while (this.#open.length + this.#continuing.size > 0) this.#turn();
  }

  #turn(): void {
    this.#steps = this.#begin();
    this.#budget = this.plan.pageSize;
    const before = structuredClone({ facts: this.#facts, open: this.#open, continuing: this.#continuing });
    const ends = this.#take();
    // Some transactions are lost at their end, and what they took is taken again.
    if (this.#lost < MAX_LOST && this.#random(8) === 0) {
      this.#lost++;
      ({ facts: this.#facts, open: this.#open, continuing: this.#continuing } = before);
      return;
    }
    this.#waves(ends);
    this.#commit();
  }

  /** Ends of some open jobs, and further items of some fan-outs. */
  #take(): EndedStep[] {
    const count = Math.min(this.#open.length, 1 + this.#random(this.plan.pageSize));
    const taken = Array.from({ length: count }, () => this.#open.splice(this.#random(this.#open.length), 1)).flat();
    const ends: EndedStep[] = [];
    for (const [step, all] of Map.groupBy(taken, (one) => one.step)) {
      const state = all[0]?.item === undefined ? this.#fateOf(step).end : this.#itemsEnded(step, all);
      if (state) ends.push({ step, state });
    }
    const over = new Set(ends.map(({ step }) => step));
    const more = [...this.#continuing].filter((step) => !over.has(step));
    this.#continuing.clear();
    for (const step of more) {
      const state = this.#rowOf(step).state === 'RUNNING' ? this.#moreItems(step) : undefined;
      if (state) ends.push({ step, state });
    }
    return ends;
  }

  #itemsEnded(step: number, all: readonly Open[]): EndedStepState | undefined {
    const { fanOut } = this.graph.step(step);
    const row = this.#rowOf(step);
    if (!fanOut || !row.fanOut) throw new Error('it has no items');
    const isCut = decideFanOut(fanOut, row.fanOut).kind !== 'CONTINUE';
    const ended = all.map(({ item = 0 }): EndedItem => {
      const fate = this.#fateOf(step).items[item];
      // An item that is being cancelled may still succeed.
      const state = isCut && fate !== 'SUCCEEDED' ? 'FAILED' : (fate as EndedStepState);
      this.factOf(step).items[item] = state;
      return { item, succeeded: state === 'SUCCEEDED', skipped: state === 'SKIPPED' };
    });
    this.#steps.change(step, { fanOut: endItems(fanOut, row.fanOut, ended) });
    return this.#moreItems(step);
  }

  /** Returns the step's end state if it ends now. */
  #moreItems(step: number): EndedStepState | undefined {
    const { fanOut } = this.graph.step(step);
    for (;;) {
      const state = this.#rowOf(step).fanOut;
      if (!fanOut || !state) throw new Error('it has no items');
      const decision = decideFanOut(fanOut, state);
      if (decision.kind !== 'CONTINUE') {
        if (openItems(state) > 0) return undefined;
        return decision.kind === 'FAIL' ? 'FAILED' : 'SUCCEEDED';
      }
      const count = Math.min(decision.start, this.#budget);
      if (decision.start > count) this.#continuing.add(step);
      if (count === 0) return undefined;
      this.#budget -= count;
      const refused: EndedItem[] = [];
      for (let item = state.started; item < state.started + count; item++) {
        if (this.#fateOf(step).items[item] !== 'REFUSED') this.#open.push({ step, item });
        else {
          refused.push({ item, succeeded: false });
          this.factOf(step).items[item] = 'FAILED';
        }
      }
      this.#steps.change(step, { fanOut: endItems(fanOut, startItems(state, count), refused) });
      if (refused.length === 0) return undefined;
    }
  }

  #start(steps: readonly number[]): EndedStep[] {
    return steps.flatMap((step) => {
      const state = this.#startOne(step);
      return state ? [{ step, state }] : [];
    });
  }

  #startOne(step: number): EndedStepState | undefined {
    const { start, items } = this.#fateOf(step);
    const { fanOut } = this.graph.step(step);
    if (start !== 'STARTED') return start;
    if (!fanOut) {
      this.#steps.change(step, { state: 'RUNNING' });
      this.#open.push({ step, item: undefined });
      return undefined;
    }
    const state = beginFanOut(fanOut, items.length, this.graph.isCountedByItems(step));
    this.#steps.change(step, { state: 'RUNNING', fanOut: state });
    this.factOf(step).items = items.map(() => undefined);
    return items.length === 0 ? 'SUCCEEDED' : this.#moreItems(step);
  }

  #waves(first: readonly EndedStep[]): void {
    for (let ends = first; ; ) {
      for (const { step, state } of ends) {
        this.#steps.change(step, { state });
        this.factOf(step).state = state;
      }
      const items = this.#steps.itemChanges();
      if (ends.length + items.length === 0) return;
      for (const step of successorsOf(this.graph, ends, items)) this.#rowOf(step);
      const found = wave(this.graph, this.#steps.rows(), ends, items);
      for (const [step, row] of found.rows) this.#steps.change(step, row);
      this.onWave(found.ready, found.ended);
      ends = [...found.ended, ...this.#start(found.ready)];
    }
  }

  /** A new transaction, which knows only what is stored. */
  #begin(): Steps {
    const rows = [...this.#stored.values()].map((row) => JSON.parse(JSON.stringify(row)) as WrittenStep);
    const steps = [...this.graph.steps.keys()];
    const store = { readSteps: () => Promise.reject(new Error('all are known')) };
    return new Steps(this.graph, 'j', store, { steps, rows });
  }

  #commit(): void {
    for (const row of this.#steps.changed()) this.#stored.set(row.step, row);
  }

  #rowOf(step: number): StoredStep {
    return this.#steps.row(step);
  }

  #fateOf(step: number): Fate {
    return this.plan.fates[step] as Fate;
  }

  #random(below: number): number {
    const { picks } = this.plan;
    return (picks[this.#pick++ % picks.length] ?? 0) % below;
  }
}
