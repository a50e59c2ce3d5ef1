/** Values for expressions of a running workflow, and of them: its input, and the outputs of ended steps. */
import type { Payload } from '../../domain/base/payload.ts';
import {
  type EvaluationResult,
  jsonOf,
  type OwnValues,
  type RawOutput,
  type SharedValues,
} from '../../domain/workflows/expressions/evaluation.ts';
import type { Expressions } from '../ports/ports.ts';
import type { LockedWorkflow, WorkflowStore } from '../ports/workflows.ts';
import type { FieldExpression } from './bodies.ts';
import type { Steps } from './steps/steps.ts';

/** Max cost of what is evaluated together; the last evaluation may exceed it. */
const MAX_STEPS = 2_000_000;
/** Max total bytes of a fan-out's results that an expression may read. */
const MAX_ITEM_BYTES = 8 << 20;

/** Thrown if an expression has no value. The message completes a sentence. */
export class NoValue extends Error {}

/** Outputs are those of a step: its own, or of its last pass. */
export interface Own extends Pick<OwnValues, 'item' | 'index' | 'iteration'> {
  readonly previous?: Output | undefined;
  readonly output?: Output | undefined;
}

/** The output of a successful step. */
export type Output =
  | { readonly step: number; readonly result: Payload }
  | {
      readonly step: number;
      readonly size: number;
      readonly items: readonly { readonly item: number; readonly result: Payload }[];
    };

export interface ValuesParts {
  readonly store: Pick<WorkflowStore, 'readOutcomes' | 'readItemResults'>;
  readonly expressions: Expressions;
}

export class Values {
  readonly #workflow: LockedWorkflow;
  readonly #steps: Steps;
  readonly #parts: ValuesParts;
  readonly #outputs = new Map<number, Output | undefined>();

  constructor(workflow: LockedWorkflow, steps: Steps, parts: ValuesParts) {
    this.#workflow = workflow;
    this.#steps = steps;
    this.#parts = parts;
  }

  /** Returns text of JSON. Throws NoValue. */
  async evaluate(expression: FieldExpression, own: Own = {}): Promise<string> {
    const [value] = await this.each(expression, [own], 0);
    if (value instanceof NoValue) throw value;
    return value as string;
  }

  /** Returns the texts of the items; undefined: it is no list. Throws NoValue. */
  async list(expression: FieldExpression): Promise<readonly string[] | undefined> {
    const [result] = await this.#evaluate(expression, [{}], { asItems: true });
    if (result && 'problem' in result) throw this.#noValue(expression, result);
    return result && 'items' in result ? result.items : undefined;
  }

  /**
   * Texts of JSON for the first of these, and at least for one: as many as have about `maxLength` characters together,
   * and do not cost too much.
   */
  async each(
    expression: FieldExpression,
    own: readonly Own[],
    maxLength: number,
  ): Promise<readonly (string | NoValue)[]> {
    try {
      const results = await this.#evaluate(expression, own, { maxLength });
      return results.map((result) => ('value' in result ? result.value : this.#noValue(expression, result)));
    } catch (error) {
      if (error instanceof NoValue) return own.map(() => error);
      throw error;
    }
  }

  #noValue({ field }: FieldExpression, result: EvaluationResult): NoValue {
    if (!('problem' in result)) throw new Error(`an expression at ${field} has no result`);
    return new NoValue(result.isCost ? `${field}: ${result.problem}` : result.problem);
  }

  async #evaluate(
    expression: FieldExpression,
    own: readonly Own[],
    { asItems = false, maxLength = 0 },
  ): Promise<readonly EvaluationResult[]> {
    const payloads = new Payloads((step) => this.#nameOf(step));
    const shared = await this.#shared(expression, payloads);
    const { results } = await this.#parts.expressions.evaluate({
      text: expression.text,
      shared,
      own: own.map((one) => ({
        ...one,
        previous: payloads.output(one.previous),
        output: payloads.output(one.output),
      })),
      payloads: payloads.all,
      asItems,
      maxSteps: MAX_STEPS,
      maxLength,
    });
    return results;
  }

  async #shared(expression: FieldExpression, payloads: Payloads): Promise<SharedValues> {
    const { input, jobId, labels } = this.#workflow;
    await this.#steps.load([...expression.steps].map((name) => this.#steps.graph.indexOf(name)));
    const steps: Record<string, SharedValues['steps'][string]> = {};
    for (const name of expression.steps) {
      const step = this.#steps.graph.indexOf(name);
      steps[name] = { output: payloads.output(await this.output(step)), state: this.#steps.row(step).state };
    }
    const raw = expression.usesInput ? { payload: payloads.add(input), what: "the workflow's input" } : undefined;
    return { input: raw, jobId, labels, steps };
  }

  /** The output of a successful step; undefined: it has none. Throws NoValue. The step's row must be loaded. */
  async output(step: number): Promise<Output | undefined> {
    const row = this.#steps.row(step);
    if (row.state !== 'SUCCEEDED') return undefined;
    if (!this.#outputs.has(step))
      this.#outputs.set(step, row.fanOut ? await this.#items(step) : await this.#outputOf(step));
    return this.#outputs.get(step);
  }

  /** As `output`, parsed. */
  async parsedOutput(step: number): Promise<unknown> {
    const output = await this.output(step);
    if (output === undefined) return undefined;
    const name = this.#nameOf(step);
    if ('result' in output) return parsed(output.result, `the output of step "${name}"`);
    const list: unknown[] = new Array(output.size).fill(null);
    for (const { item, result } of output.items) list[item] = parsed(result, `output ${item} of step "${name}"`);
    return list;
  }

  /**
   * The raw result of a successful step without a fan-out; empty if its job returned nothing. Throws NoValue. The
   * step's row must be loaded.
   */
  async result(step: number): Promise<Payload> {
    return (await this.#resultOf(step)) ?? { data: new Uint8Array(), contentType: '' };
  }

  async #outputOf(step: number): Promise<Output | undefined> {
    const result = await this.#resultOf(step);
    return result && { step, result };
  }

  async #resultOf(step: number): Promise<Payload | undefined> {
    const { childId } = this.#steps.row(step);
    const [outcome] = childId ? await this.#parts.store.readOutcomes([childId]) : [];
    if (!outcome) throw new NoValue(`the output of step "${this.#nameOf(step)}" is gone: its job is no longer kept`);
    return outcome.result;
  }

  async #items(step: number): Promise<Output> {
    const { fanOut, adoptedFrom } = this.#steps.row(step);
    const key = { jobId: adoptedFrom ?? this.#workflow.jobId, step };
    const items = await this.#parts.store.readItemResults(key, MAX_ITEM_BYTES);
    const name = this.#nameOf(step);
    if (!items) throw new NoValue(`the outputs of step "${name}" are more than ${MAX_ITEM_BYTES >> 20} MiB together`);
    if (items.length < (fanOut?.succeeded ?? 0))
      throw new NoValue(`outputs of step "${name}" are gone: its jobs are no longer kept`);
    return { step, size: fanOut?.size ?? 0, items };
  }

  #nameOf(step: number): string {
    return this.#steps.graph.step(step).name;
  }
}

/** The payloads of one evaluation, each once. */
class Payloads {
  readonly all: Payload[] = [];
  readonly #numbers = new Map<Payload, number>();
  readonly #outputs = new Map<Output, RawOutput>();
  readonly #nameOf: (step: number) => string;

  constructor(nameOf: (step: number) => string) {
    this.#nameOf = nameOf;
  }

  add(payload: Payload): number {
    const number = this.#numbers.get(payload) ?? this.all.push(payload) - 1;
    this.#numbers.set(payload, number);
    return number;
  }

  output(output: Output | undefined): RawOutput {
    if (output === undefined) return undefined;
    const raw = this.#outputs.get(output) ?? this.#raw(output, this.#nameOf(output.step));
    this.#outputs.set(output, raw);
    return raw;
  }

  #raw(output: Output, step: string): RawOutput {
    if ('result' in output) return { payload: this.add(output.result), what: `the output of step "${step}"` };
    const { size, items } = output;
    return { size, step, items: items.map(({ item }) => item), payloads: items.map(({ result }) => this.add(result)) };
  }
}

function parsed(payload: Payload, what: string): unknown {
  const found = jsonOf(payload, what);
  if ('problem' in found) throw new NoValue(found.problem);
  return found.value;
}

/** `text` is JSON. */
export function payloadOf(text: string): Payload {
  return { data: Buffer.from(text), contentType: 'application/json' };
}
