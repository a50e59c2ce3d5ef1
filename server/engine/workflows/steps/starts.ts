/** Starts steps: evaluates conditions and inputs, makes jobs. */

import type { Payload } from '../../../domain/base/payload.ts';
import type { Dependency } from '../../../domain/dependencies/dependencies.ts';
import {
  beginFanOut,
  decideFanOut,
  type EndedItem,
  endItems,
  type FanOutDecision,
  startItems,
} from '../../../domain/workflows/fan-out.ts';
import { cutShort, decideLoop, type LoopDecision } from '../../../domain/workflows/loop.ts';
import type { EndedStep, EndedStepState } from '../../../domain/workflows/step-state.ts';
import { MAX_ITEMS } from '../../../domain/workflows/workflow.ts';
import { NoJob } from '../../jobs/submit/inner-jobs.ts';
import type { NewInboxRow } from '../../ports/inbox.ts';
import type { NewJob } from '../../ports/submissions.ts';
import type { AdvanceParts } from '../advance-parts.ts';
import { retriedJob } from '../inner-retries.ts';
import { NoValue, type Own, payloadOf, type Values } from '../values.ts';
import type { CachedSteps } from './cached-steps.ts';
import { whyFailed } from './ends.ts';
import { dependenciesOf, UnlockedWait, waitsText } from './external-dependencies.ts';
import type { MadeFrom } from './jobs.ts';
import { StartBudget } from './start-budget.ts';
import type { Steps } from './steps.ts';

/** Thrown if the step ends at once, with the reason. */
class NoStart extends Error {
  readonly state: 'SKIPPED' | 'FAILED';
  constructor(state: 'SKIPPED' | 'FAILED', reason: string) {
    super(reason);
    this.state = state;
  }
}

export class StepStarts {
  readonly #parts: AdvanceParts;
  readonly #steps: Steps;
  readonly #values: Values;
  readonly #cached: CachedSteps;
  readonly #budget: StartBudget;
  readonly jobs: NewJob[] = [];
  readonly inbox: NewInboxRow[] = [];
  /** Steps with a CONTINUE entry. */
  readonly #continuing = new Set<number>();

  constructor(parts: AdvanceParts, steps: Steps, values: Values, cached: CachedSteps) {
    this.#parts = parts;
    this.#steps = steps;
    this.#values = values;
    this.#cached = cached;
    this.#budget = new StartBudget(parts.startLimits);
  }

  /**
   * `started` counts started steps, including those that ended at once, without skipped ones. Steps beyond the budget of a
   * transaction are left to the next one.
   */
  async start(steps: readonly number[]): Promise<{ readonly started: number; readonly ended: readonly EndedStep[] }> {
    const ended: EndedStep[] = [];
    let started = 0;
    await this.#steps.load(steps);
    for (const step of steps) {
      if (this.#steps.row(step).state === 'RUNNING') {
        const state = await this.moreItems(step);
        if (state) ended.push({ step, state });
      } else if (this.#budget.isSpent || this.#isBehind(step)) this.#continueStep(step);
      else {
        const state = await this.#startOne(step);
        if (state !== 'SKIPPED') started++;
        if (state) ended.push({ step, state });
      }
    }
    return { started, ended };
  }

  /** Called when a pass of a loop has succeeded. DONE also if another pass is due but the workflow is stopping. */
  async nextPass(step: number, stopping: boolean): Promise<LoopDecision> {
    const { loop } = this.#steps.graph.step(step);
    if (!loop) return 'DONE';
    const { iteration, childId } = this.#steps.row(step);
    const state = await this.#unlessNoStart(step, async () => {
      const [outcome] = childId ? await this.#parts.store.workflows.readOutcomes([childId]) : [];
      const output = outcome?.result && { step, result: outcome.result };
      const expression = this.#parts.body.expression('repeat_condition', step);
      const holds = expression && (await this.#values.evaluate(expression, { output, iteration }));
      const decision = decideLoop(loop, iteration, truth(holds, 'loop.repeat_condition'));
      if (decision === 'EXHAUSTED') throw new NoStart('FAILED', `its loop still holds after ${iteration + 1} passes`);
      if (decision === 'DONE') return 'SUCCEEDED';
      if (stopping) {
        this.#steps.change(step, { reason: cutShort(iteration + 1) });
        return 'SUCCEEDED';
      }
      await this.#makeJob(step, await this.#input(step, { iteration: iteration + 1, previous: output }), iteration + 1);
      this.#steps.change(step, { iteration: iteration + 1 });
      return undefined;
    });
    return state === undefined ? 'AGAIN' : state === 'SUCCEEDED' ? 'DONE' : 'EXHAUSTED';
  }

  /**
   * Starts as many items as may be open, up to the transaction's budget. Returns the step's end state if it ends now.
   */
  moreItems(step: number): Promise<EndedStepState | undefined> {
    const { lists, workflow } = this.#parts;
    const key = { jobId: workflow.jobId, step };
    return this.#unlessNoStart(step, () => this.#more(step, () => lists.of(key, () => this.#items(step))));
  }

  /** `itemsOf` is called only when an item starts, not for each that ends. */
  async #more(step: number, itemsOf: () => Promise<readonly string[]>): Promise<EndedStepState | undefined> {
    const { fanOut } = this.#steps.graph.step(step);
    let state = this.#steps.row(step).fanOut;
    if (!fanOut || !state) return undefined;
    for (;;) {
      const decision = decideFanOut(fanOut, state);
      if (decision.kind !== 'CONTINUE') return this.#verdict(step, decision);
      if (decision.start === 0) return undefined;
      if (this.#budget.isSpent) return this.#continueStep(step);
      const inputs = await this.#itemInputs(step, await itemsOf(), state.started, decision.start);
      const refused = await this.#startItems(step, inputs, state.started);
      state = endItems(fanOut, startItems(state, inputs.length), refused);
      this.#steps.change(step, { fanOut: state });
      if (state.started === state.size) this.#parts.lists.forget({ jobId: this.#parts.workflow.jobId, step });
      if (inputs.length < decision.start) return this.#continueStep(step);
      // Items that could not get a job have ended, so others may start.
      if (refused.length === 0) return undefined;
    }
  }

  /** Of at most `max` items, as many as fit into the budget. */
  async #itemInputs(
    step: number,
    items: readonly string[],
    first: number,
    max: number,
  ): Promise<readonly (Payload | NoValue)[]> {
    const { input } = this.#parts.workflow;
    const { jobs, bytes } = this.#budget.left;
    const expression = this.#parts.body.expression('input', step);
    const fitting = expression ? max : Math.max(1, Math.ceil(bytes / Math.max(1, input.data.length)));
    const own = Array.from({ length: Math.min(max, jobs, fitting) }, (_, i) => ({
      item: items[first + i],
      index: first + i,
    }));
    if (!expression) return own.map(() => input);
    const found = await this.#values.each(expression, own, bytes);
    return found.map((value) => (value instanceof NoValue ? value : payloadOf(value)));
  }

  /** Returns the items that can't have a job: they have failed. */
  async #startItems(step: number, inputs: readonly (Payload | NoValue)[], first: number): Promise<EndedItem[]> {
    const refused: EndedItem[] = [];
    for (const [i, input] of inputs.entries()) {
      const index = first + i;
      try {
        await this.#makeJob(step, input, index);
      } catch (error) {
        if (!(error instanceof NoValue || error instanceof NoJob)) throw error;
        this.#steps.change(step, { reason: `item ${index}: ${error.message}` });
        refused.push({ item: index, succeeded: false });
      }
    }
    return refused;
  }

  #verdict(step: number, decision: Exclude<FanOutDecision, { kind: 'CONTINUE' }>): EndedStepState | undefined {
    if (decision.kind === 'FAIL') {
      const reason = whyFailed(decision.reason, this.#steps.row(step).reason);
      this.#steps.change(step, { reason });
    }
    if (!decision.cancelOpen) return decision.kind === 'FAIL' ? 'FAILED' : 'SUCCEEDED';
    this.inbox.push({ jobId: this.#parts.workflow.jobId, step, kind: 'CANCEL_CHILDREN' });
    return undefined;
  }

  #startOne(step: number): Promise<EndedStepState | undefined> {
    const { fanOut, loop } = this.#steps.graph.step(step);
    return this.#unlessNoStart(step, async () => {
      const condition = this.#parts.body.expression('condition', step);
      if (condition) this.#budget.addCondition();
      if (condition && !truth(await this.#values.evaluate(condition), 'condition'))
        throw new NoStart('SKIPPED', 'its condition is false');
      if (fanOut) {
        const items = await this.#items(step);
        const state = beginFanOut(fanOut, items.length, this.#steps.graph.isCountedByItems(step));
        this.#steps.change(step, { state: 'RUNNING', fanOut: state });
        return items.length === 0 ? 'SUCCEEDED' : this.#more(step, async () => items);
      }
      const isMade = await this.#makeJob(step, await this.#input(step, loop ? { iteration: 0 } : {}), 0);
      if (!isMade) return 'SUCCEEDED';
      this.#steps.change(step, { state: 'RUNNING' });
      return undefined;
    });
  }

  async #items(step: number): Promise<readonly string[]> {
    const expression = this.#parts.body.expression('items', step);
    const items = expression && (await this.#values.list(expression));
    if (!items) throw new NoStart('FAILED', 'fan_out.items gives no list');
    if (items.length > MAX_ITEMS)
      throw new NoStart('FAILED', `fan_out.items gives ${items.length} items; at most ${MAX_ITEMS} are possible`);
    return items;
  }

  async #input(step: number, own: Own): Promise<Payload | NoValue> {
    const expression = this.#parts.body.expression('input', step);
    if (!expression) return this.#parts.workflow.input;
    const [value] = await this.#values.each(expression, [own], 0);
    return typeof value === 'string' ? payloadOf(value) : (value as NoValue);
  }

  /** False: the step needs no job, since a cached result is used. Throws the input if it has no value. */
  async #makeJob(step: number, input: Payload | NoValue, item: number): Promise<boolean> {
    this.#budget.addJob();
    if (input instanceof NoValue) throw input;
    const { store, namespace, workflow, stepJobs } = this.#parts;
    this.#budget.addBytes(input.data.length);
    const parent = { jobId: workflow.jobId, step, item };
    const made = this.#steps.graph.step(step);
    const version = made.cache ? await this.#cached.lookup(step, input) : made.definitionVersion;
    if (version === undefined) return false;
    const dependencies = made.dependsOn && (await this.#waitsFor(step));
    const from = await this.#retrying({ ...made, definitionVersion: version, dependencies }, step, input);
    const job = await stepJobs.make(store, { namespace, workflow }, from, input, parent);
    this.jobs.push(job);
    if (!made.fanOut) this.#steps.change(step, { childId: job.jobId });
    return true;
  }

  /** Adds the job to retry, if the workflow is itself a retry. */
  async #retrying(from: MadeFrom, step: number, input: Payload): Promise<MadeFrom> {
    const { store, namespace, workflow, stepJobs } = this.#parts;
    if (!workflow.retryOf) return from;
    const definition = await stepJobs.definition(store, namespace, from);
    const retryOf = await retriedJob(this.#parts, this.#steps, step, definition, input);
    return { ...from, definitionVersion: definition.version, retryOf };
  }

  /** The dependencies of the step's job, once they are locked. Throws UnlockedWait. */
  async #waitsFor(step: number): Promise<readonly Dependency[]> {
    const { body, namespace, workflow, wait } = this.#parts;
    if (wait?.step !== step) {
      const made = this.#steps.graph.step(step);
      const dependencies = await dependenciesOf(made, step, body, this.#values);
      throw new UnlockedWait({ jobId: workflow.jobId, namespace, step, name: made.name, dependencies });
    }
    if (wait.refusal !== undefined) throw new NoStart('FAILED', wait.refusal);
    this.#steps.change(step, { reason: waitsText(wait.dependencies) });
    return wait.dependencies;
  }

  async #unlessNoStart(
    step: number,
    work: () => Promise<EndedStepState | undefined>,
  ): Promise<EndedStepState | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NoStart || error instanceof NoValue || error instanceof NoJob)) throw error;
      this.#steps.change(step, { reason: error.message });
      return error instanceof NoStart ? error.state : 'FAILED';
    }
  }

  /**
   * A cycle search would not see the edges of two new jobs in one transaction, so each makes at most one that depends
   * on others.
   */
  #isBehind(step: number): boolean {
    const { wait } = this.#parts;
    return wait !== undefined && wait.step !== step && this.#steps.graph.step(step).dependsOn !== undefined;
  }

  #continueStep(step: number): undefined {
    if (this.#continuing.has(step)) return;
    this.#continuing.add(step);
    this.inbox.push({ jobId: this.#parts.workflow.jobId, step, kind: 'CONTINUE' });
  }
}

/** `value` is text of JSON. */
function truth(value: string | undefined, field: string): boolean {
  if (value !== 'true' && value !== 'false') throw new NoStart('FAILED', `its ${field} gives no truth value`);
  return value === 'true';
}
