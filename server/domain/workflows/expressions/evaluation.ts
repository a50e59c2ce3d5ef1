/**
 * Evaluates an expression over values that are still bytes, and gives its value as text of JSON: so that the caller,
 * who waits for it, parses nothing.
 */
import { Meter, WORKFLOW_BUDGET } from '../../base/cel-cost.ts';
import type { Payload } from '../../base/payload.ts';
import { compileExpression, type ExpressionValues, type WorkflowExpression } from './expressions.ts';
import { allNames } from './step-expressions.ts';

/** A value by the number of its payload. */
export interface RawValue {
  readonly payload: number;
  /** Names it in a problem. */
  readonly what: string;
}

/** The outputs of a fan-out's items. */
export interface RawList {
  readonly size: number;
  /** Name of the step. */
  readonly step: string;
  /** Items with an output, and the numbers of their payloads. */
  readonly items: readonly number[];
  readonly payloads: readonly number[];
}

export type RawOutput = RawValue | RawList | undefined;

export interface SharedValues {
  readonly input: RawValue | undefined;
  readonly jobId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly steps: Readonly<Record<string, { readonly output: RawOutput; readonly state: string }>>;
}

export interface OwnValues {
  /** Text of JSON. */
  readonly item?: string | undefined;
  readonly index?: number;
  readonly iteration?: number;
  readonly previous?: RawOutput;
  readonly output?: RawOutput;
}

/** An expression that is evaluated with the shared values and, one after another, with each of the own values. */
export interface Evaluation {
  readonly text: string;
  readonly payloads: readonly Pick<Payload, 'data' | 'contentType'>[];
  readonly shared: SharedValues;
  readonly own: readonly OwnValues[];
  /** Whether a list is wanted as its items. */
  readonly asItems: boolean;
  /** Once it has cost this many steps, or its values have this many characters, the rest is left out. */
  readonly maxSteps: number;
  readonly maxLength: number;
}

export type EvaluationResult =
  /** Text of JSON. */
  | { readonly value: string }
  /** Texts of JSON. */
  | { readonly items: readonly string[] }
  /** `isCost`: it was ended since it costs too much. */
  | { readonly problem: string; readonly isCost: boolean };

export interface EvaluationAnswer {
  /** Of the first own values, and of at least one. */
  readonly results: readonly EvaluationResult[];
  readonly steps: number;
}

/** `onResult` is called after each. */
export function evaluateAll(evaluation: Evaluation, onResult?: () => void): EvaluationAnswer {
  const results: EvaluationResult[] = [];
  const { own, maxSteps, maxLength } = evaluation;
  const read = readerOf(evaluation.payloads);
  let [steps, length] = [0, 0];
  for (const one of own) {
    if (results.length > 0 && (steps >= maxSteps || length >= maxLength)) break;
    const meter = new Meter(WORKFLOW_BUDGET);
    const result = evaluateOne(evaluation, one, read, meter);
    results.push(result);
    steps += meter.steps;
    if ('value' in result) length += result.value.length;
    onResult?.();
  }
  return { results, steps };
}

class Unreadable extends Error {}

const nothing = { data: new Uint8Array(), contentType: '' };

type Read = (output: RawOutput) => unknown;

function evaluateOne(evaluation: Evaluation, own: OwnValues, read: Read, meter: Meter): EvaluationResult {
  try {
    const found = compiled(evaluation.text).evaluate(valuesOf(evaluation.shared, own, read), meter);
    if ('problem' in found) return { problem: found.problem, isCost: meter.problem !== undefined };
    if (evaluation.asItems && Array.isArray(found.value))
      return { items: found.value.map((item) => JSON.stringify(item)) };
    return { value: JSON.stringify(found.value) };
  } catch (error) {
    if (error instanceof Unreadable) return { problem: error.message, isCost: false };
    throw error;
  }
}

function valuesOf({ input, jobId, labels, steps }: SharedValues, own: OwnValues, read: Read): ExpressionValues {
  return {
    workflow: { input: read(input), job_id: jobId, labels },
    steps: Object.fromEntries(
      Object.entries(steps).map(([name, { output, state }]) => [name, { output: read(output), state }]),
    ),
    ...own,
    item: own.item === undefined ? null : JSON.parse(own.item),
    previous: read(own.previous),
    output: read(own.output),
  };
}

/** Reads each value once. */
function readerOf(payloads: Evaluation['payloads']): Read {
  const known = new Map<RawOutput, unknown>();
  return (output) => {
    if (output === undefined) return undefined;
    if (!known.has(output)) known.set(output, 'payload' in output ? one(output) : list(output));
    return known.get(output);
  };

  function one({ payload, what }: RawValue): unknown {
    return parsed(payloads[payload] ?? nothing, what);
  }

  function list({ size, step, items, payloads: numbers }: RawList): unknown[] {
    const values: unknown[] = new Array(size).fill(null);
    for (const [i, item] of items.entries())
      values[item] = one({ payload: numbers[i] as number, what: `output ${item} of step "${step}"` });
    return values;
  }
}

function parsed(payload: Pick<Payload, 'data' | 'contentType'>, what: string): unknown {
  const found = jsonOf(payload, what);
  if ('problem' in found) throw new Unreadable(found.problem);
  return found.value;
}

/** The value, or why there is none, as a sentence that begins with `what`. */
export function jsonOf(
  { data, contentType }: Pick<Payload, 'data' | 'contentType'>,
  what: string,
): { readonly value: unknown } | { readonly problem: string } {
  if (contentType !== '' && contentType !== 'application/json')
    return { problem: `${what} is ${contentType}, not JSON` };
  if (data.length === 0) return { value: null };
  const text = utf8.decode(data);
  const known = recent.find((one) => one.text === text);
  if (known) return known;
  try {
    const value: unknown = JSON.parse(text);
    if (text.length >= MIN_RECENT && recent.unshift({ text, value }) > MAX_RECENT) recent.pop();
    return { value };
  } catch {
    return { problem: `${what} is no JSON` };
  }
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Large payloads that were read last: the expressions of a workflow read the same ones, one after another. */
const recent: { readonly text: string; readonly value: unknown }[] = [];
const MAX_RECENT = 4;
/** In characters. */
const MIN_RECENT = 4_096;

/** Characters of the expressions that are kept compiled; each takes some 100 bytes. */
const MAX_COMPILED = 256 << 10;
const compiledExpressions = new Map<string, WorkflowExpression>();
let compiledLength = 0;

function compiled(text: string): WorkflowExpression {
  const known = compiledExpressions.get(text);
  if (known) return known;
  const found = compileExpression(text, allNames);
  // It was checked when the definition was applied.
  if ('problem' in found) throw new Error(`an expression that was stored ${found.problem}`);
  compiledLength += text.length;
  if (compiledLength > MAX_COMPILED) {
    compiledExpressions.clear();
    compiledLength = text.length;
  }
  compiledExpressions.set(text, found);
  return found;
}
