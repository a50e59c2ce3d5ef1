/** Values for expressions of a running workflow: its input, and the outputs of ended steps. */
import { Meter, WORKFLOW_BUDGET } from '../../domain/base/cel-cost.ts';
import type { Payload } from '../../domain/base/payload.ts';
import type { ExpressionValues } from '../../domain/workflows/expressions/expressions.ts';
import type { LockedWorkflow, WorkflowStore } from '../ports/workflows.ts';
import type { FieldExpression } from './bodies.ts';
import type { Steps } from './steps/steps.ts';

/** Max total bytes of a fan-out's results that an expression may read. */
const MAX_ITEM_BYTES = 8 << 20;

/** Thrown if an expression has no value. The message completes a sentence. */
export class NoValue extends Error {}

type Own = Omit<ExpressionValues, 'workflow' | 'steps'>;

export class Values {
  readonly #workflow: LockedWorkflow;
  readonly #steps: Steps;
  readonly #store: Pick<WorkflowStore, 'readOutcomes' | 'readItemResults'>;
  readonly #outputs = new Map<number, unknown>();
  #input: { readonly value: unknown } | undefined;

  constructor(workflow: LockedWorkflow, steps: Steps, store: Pick<WorkflowStore, 'readOutcomes' | 'readItemResults'>) {
    this.#workflow = workflow;
    this.#steps = steps;
    this.#store = store;
  }

  /** Throws NoValue. */
  async evaluate(expression: FieldExpression, own: Own = {}): Promise<unknown> {
    await this.#steps.load([...expression.steps].map((name) => this.#steps.graph.indexOf(name)));
    const steps: Record<string, { output: unknown; state: string }> = {};
    for (const name of expression.steps) {
      const step = this.#steps.graph.indexOf(name);
      steps[name] = { output: await this.output(step), state: this.#steps.row(step).state };
    }
    const { jobId, labels } = this.#workflow;
    const input = expression.usesInput ? this.#inputValue() : null;
    const meter = new Meter(WORKFLOW_BUDGET);
    const found = expression.evaluate({ workflow: { input, job_id: jobId, labels }, steps, ...own }, meter);
    if ('problem' in found) throw new NoValue(meter.problem ? `${expression.field}: ${found.problem}` : found.problem);
    return found.value;
  }

  /** The output of a successful step; undefined: it has none. Throws NoValue. The step's row must be loaded. */
  async output(step: number): Promise<unknown> {
    const row = this.#steps.row(step);
    if (row.state !== 'SUCCEEDED') return undefined;
    if (!this.#outputs.has(step))
      this.#outputs.set(step, row.fanOut ? await this.#items(step) : await this.#result(step));
    return this.#outputs.get(step);
  }

  /** Parses the result of a step's job. Throws NoValue. */
  parse(result: Payload | undefined, step: number): unknown {
    return result && jsonOf(result, `the output of step "${this.#nameOf(step)}"`);
  }

  /**
   * The raw result of a successful step without a fan-out; empty if its job returned nothing. Throws NoValue. The
   * step's row must be loaded.
   */
  async result(step: number): Promise<Payload> {
    return (await this.#resultOf(step)) ?? { data: new Uint8Array(), contentType: '' };
  }

  async #result(step: number): Promise<unknown> {
    return this.parse(await this.#resultOf(step), step);
  }

  async #resultOf(step: number): Promise<Payload | undefined> {
    const { childId } = this.#steps.row(step);
    const [outcome] = childId ? await this.#store.readOutcomes([childId]) : [];
    if (!outcome) throw new NoValue(`the output of step "${this.#nameOf(step)}" is gone: its job is no longer kept`);
    return outcome.result;
  }

  async #items(step: number): Promise<unknown[]> {
    const { fanOut, adoptedFrom } = this.#steps.row(step);
    const key = { jobId: adoptedFrom ?? this.#workflow.jobId, step };
    const results = await this.#store.readItemResults(key, MAX_ITEM_BYTES);
    const name = this.#nameOf(step);
    if (!results) throw new NoValue(`the outputs of step "${name}" are more than ${MAX_ITEM_BYTES >> 20} MiB together`);
    if (results.length < (fanOut?.succeeded ?? 0))
      throw new NoValue(`outputs of step "${name}" are gone: its jobs are no longer kept`);
    const list: unknown[] = new Array(fanOut?.size ?? 0).fill(null);
    for (const { item, result } of results) list[item] = jsonOf(result, `output ${item} of step "${name}"`);
    return list;
  }

  #inputValue(): unknown {
    this.#input ??= { value: jsonOf(this.#workflow.input, "the workflow's input") };
    return this.#input.value;
  }

  #nameOf(step: number): string {
    return this.#steps.graph.step(step).name;
  }
}

function jsonOf({ data, contentType }: Payload, what: string): unknown {
  if (contentType !== '' && contentType !== 'application/json')
    throw new NoValue(`${what} is ${contentType}, not JSON`);
  if (data.length === 0) return null;
  try {
    return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString());
  } catch {
    throw new NoValue(`${what} is no JSON`);
  }
}

export function payloadOf(value: unknown): Payload {
  return { data: Buffer.from(JSON.stringify(value)), contentType: 'application/json' };
}
