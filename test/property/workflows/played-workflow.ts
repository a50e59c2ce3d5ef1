/** Runs a workflow as the engine does, with jobs that end in any order and in batches, and records the events. */
import { isCompensable, nextCompensation } from '../../../server/domain/workflows/compensation.ts';
import { compileGraph, type Graph } from '../../../server/domain/workflows/graph.ts';
import {
  afterCompensation,
  afterEnds,
  afterStarts,
  decidePhase,
  enterPhase,
  isStopping,
  newRun,
  type Phase,
  type PhaseDecision,
  stopFor,
  type WorkflowRun,
} from '../../../server/domain/workflows/phases.ts';
import type { EndedStep, EndedStepState } from '../../../server/domain/workflows/step-state.ts';
import { noneEnded } from '../../../server/domain/workflows/trigger-rules.ts';
import { type StepRow, successorsOf, type Wave, wave } from '../../../server/domain/workflows/wave.ts';
import type { Fate, Plan } from './arbitraries.ts';

/** One wave: its ends, and its results. */
export interface Reported {
  readonly ends: readonly EndedStep[];
  readonly found: Wave;
}

type EndState = Extract<PhaseDecision, { kind: 'END' }>['state'];

export class Play {
  readonly graph: Graph;
  readonly #plan: Plan;
  #run: WorkflowRun = newRun;
  readonly #rows = new Map<number, StepRow>();
  readonly #open = new Set<number>();
  #turn = 0;
  #pick = 0;

  readonly waves: Reported[] = [];
  readonly phases: Phase[] = ['WORK'];
  /** In order, with the run at that moment. */
  readonly starts: { readonly step: number; readonly run: WorkflowRun }[] = [];
  /** By name. */
  readonly ended = new Map<string, EndedStepState>();
  /** The ended steps that nothing has cut short. */
  readonly free = new Map<string, EndedStepState>();
  /** Steps of the work that have a compensation, in the order of their ends. */
  readonly compensable: number[] = [];
  /** Steps whose compensation was started, in order, with the number of open steps. */
  readonly compensated: { readonly step: number; readonly open: number }[] = [];
  readonly #owed = new Map<number, number>();
  #compensating: number | undefined;
  /** The phase in which it was cancelled or timed out. */
  stoppedIn: Phase | undefined;
  endState: EndState | undefined;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.graph = compileGraph(plan.workflow);
  }

  get run(): WorkflowRun {
    return this.#run;
  }

  toEnd(): this {
    this.#advance(this.#start(this.graph.roots('NORMAL')));
    this.#settle();
    while (this.endState === undefined) this.#next();
    return this;
  }

  #next(): void {
    if (this.#open.size === 0 && this.#compensating === undefined)
      throw new Error(`it hangs: nothing is open in ${this.#run.phase}`);
    const { stop } = this.#plan;
    if (stop && this.#turn++ === stop.turn) {
      this.stoppedIn = this.#run.phase;
      this.#run = stopFor(this.#run, stop.why);
    } else if (this.#compensating !== undefined) this.#endCompensation();
    else this.#advance(this.#endSome());
    this.#settle();
  }

  #random(below: number): number {
    const { picks } = this.#plan;
    return (picks[this.#pick++ % picks.length] ?? 0) % below;
  }

  #fateOf(step: number): Fate {
    const fate = this.#plan.fates.get(this.graph.step(step).name);
    if (!fate) throw new Error(`step ${step} has no fate`);
    return fate;
  }

  /** Ends one or more of the open steps. A step that is being cancelled may still succeed. */
  #endSome(): EndedStep[] {
    const open = [...this.#open];
    const batch = Array.from({ length: 1 + this.#random(open.length) }, () =>
      open.splice(this.#random(open.length), 1),
    ).flat();
    return batch.map((step) => {
      const isCut = isStopping(this.#run) && this.#random(2) === 0;
      return { step, state: isCut ? 'FAILED' : this.#fateOf(step).result };
    });
  }

  #endCompensation(): void {
    this.#compensating = undefined;
    this.#run = afterCompensation(this.#run);
  }

  /** Sometimes one of them can not be started. */
  #compensate(): void {
    const next = nextCompensation(Array.from(this.#owed, ([step, endNumber]) => ({ step, endNumber })));
    if (!next) throw new Error('nothing is left to compensate');
    this.#owed.delete(next.step);
    this.compensated.push({ step: next.step, open: this.#open.size });
    this.#run = afterStarts(this.#run, 1);
    this.#compensating = next.step;
    if (this.#random(4) === 0) this.#endCompensation();
  }

  /** Returns the steps that end at once. */
  #start(steps: readonly number[]): EndedStep[] {
    const ended: EndedStep[] = [];
    for (const step of steps) {
      const { result, atOnce } = this.#fateOf(step);
      this.starts.push({ step, run: this.#run });
      if (result !== 'SKIPPED') this.#run = afterStarts(this.#run, 1);
      if (result === 'SKIPPED' || atOnce) ended.push({ step, state: result });
      if (result !== 'SKIPPED') this.#open.add(step);
      this.#rows.set(step, { counts: this.#rows.get(step)?.counts ?? noneEnded, state: 'RUNNING' });
    }
    return ended;
  }

  #advance(first: readonly EndedStep[]): void {
    let ends = first;
    const ready: number[] = [];
    while (ends.length > 0) {
      this.#note(ends);
      const found = this.#wave(ends);
      ready.push(...found.ready);
      // It may evaluate conditions after each wave, or after the last.
      const begins = found.ended.length === 0 || this.#random(2) === 0;
      const begun = begins && !isStopping(this.#run) ? this.#start(ready.splice(0)) : [];
      ends = [...found.ended, ...begun];
    }
  }

  #note(ends: readonly EndedStep[]): void {
    for (const [i, end] of ends.entries())
      if (isCompensable(this.graph, end)) {
        this.#owed.set(end.step, this.#run.ended + i);
        this.compensable.push(end.step);
      }
    for (const { step, state } of ends) {
      const { name } = this.graph.step(step);
      if (this.ended.has(name)) throw new Error(`${name} ends twice`);
      this.ended.set(name, state);
      if (!isStopping(this.#run)) this.free.set(name, state);
      this.#open.delete(step);
      this.#rows.set(step, { counts: this.#rows.get(step)?.counts ?? noneEnded, state });
    }
    this.#run = afterEnds(this.graph, this.#plan.workflow, this.#run, ends);
  }

  #wave(ends: readonly EndedStep[]): Wave {
    const loaded = new Map<number, StepRow>();
    for (const step of successorsOf(this.graph, ends)) {
      const row = this.#rows.get(step);
      if (row) loaded.set(step, row);
    }
    const found = wave(this.graph, loaded, ends);
    for (const [step, row] of found.rows) this.#rows.set(step, row);
    this.waves.push({ ends, found });
    return found;
  }

  /** Enters phases until one has open steps. */
  #settle(): void {
    for (;;) {
      const open = this.#open.size + (this.#compensating === undefined ? 0 : 1);
      if (this.#run.running !== open)
        throw new Error(`the run counts ${this.#run.running} running steps, and ${open} are open`);
      const decision = decidePhase(this.graph, this.#run);
      if (decision.kind === 'STAY') return;
      if (decision.kind === 'COMPENSATE') {
        this.#compensate();
        continue;
      }
      if (this.#open.size > 0) throw new Error(`${this.#run.phase} is over, and steps are open`);
      if (decision.kind === 'END') {
        this.endState = decision.state;
        return;
      }
      this.phases.push(decision.phase);
      this.#run = enterPhase(this.#run, decision.phase);
      this.#advance(this.#start(decision.roots));
    }
  }
}
