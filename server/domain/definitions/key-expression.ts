/**
 * Expressions that compute a job's key: CEL over `input` and `labels`. They are evaluated within the call that submits
 * the job, so their cost is bounded.
 */
import { type CelValue, isCelError, isCelUint, plan } from '@bufbuild/cel';
import { parseCel } from '../base/cel.ts';
import { CALL_BUDGET, Meter } from '../base/cel-cost.ts';
import { meteredEnv } from '../base/cel-env.ts';
import { asCel } from '../base/cel-values.ts';

/** In characters: the maximum for an expression, and for the key that it yields. */
export const MAX_EXPRESSION = 1_024;
export const MAX_KEY = 256;

export type Key = { readonly key: string | undefined } | { readonly problem: string };

export interface KeyExpression {
  readonly usesInput: boolean;
  /**
   * `input` is the parsed JSON of the input. The key is undefined if the expression yields null: then the job has no
   * key.
   */
  readonly keyOf: (input: unknown, labels: Readonly<Record<string, string>>) => Key;
}

const variables = ['input', 'labels'];
const env = meteredEnv([]);
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are refused
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Returns the compiled expression, or the problem as the end of a sentence that begins with the field's name. */
export function compileKey(text: string): KeyExpression | { readonly problem: string } {
  if (text.length > MAX_EXPRESSION) return { problem: `is longer than ${MAX_EXPRESSION} characters` };
  const parsed = parseCel(text, variables, CALL_BUDGET);
  if ('problem' in parsed) return parsed;
  const evaluate = plan(env, parsed.root);
  const path = pathIn(parsed.root);
  return {
    usesInput: parsed.used.has('input'),
    keyOf: (input, labels) => {
      const direct = path && textAt(input, path);
      if (direct !== undefined) return keyFrom(direct);
      const meter = new Meter(CALL_BUDGET);
      const value = meter.run(() => {
        meter.spend(parsed.nodes, 0);
        return evaluate({ input: asCel(input), labels: asCel(labels) });
      });
      return meter.problem === undefined ? keyFrom(value) : { problem: meter.problem };
    },
  };
}

/**
 * Field names of an expression that is only a path into the input, such as `input.tenant`; undefined if it is not one.
 */
function pathIn(expression: unknown): readonly string[] | undefined {
  const path: string[] = [];
  for (let node = expression; ; ) {
    const { case: kind, value } = ((node as { exprKind?: unknown } | undefined)?.exprKind ?? {}) as {
      case?: string;
      value?: { name?: string; field?: string; operand?: unknown; testOnly?: boolean };
    };
    if (kind === 'identExpr' && value?.name === 'input') return path.length > 0 ? path.reverse() : undefined;
    if (kind !== 'selectExpr' || value?.testOnly || value?.field === undefined) return undefined;
    path.push(value.field);
    node = value.operand;
  }
}

/**
 * Fast path: nearly all keys are strings at a path, and reading them directly costs a tenth of the interpreter. Every
 * other case is left to the interpreter.
 */
function textAt(input: unknown, path: readonly string[]): string | undefined {
  let value = input;
  for (const field of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined;
    value = (value as Record<string, unknown>)[field];
  }
  return typeof value === 'string' ? value : undefined;
}

export function keyFrom(value: CelValue | Error): Key {
  if (isCelError(value)) return { problem: value.message };
  const key = textOf(value as CelValue);
  if (key === undefined) return { problem: 'its value is no string, number, truth value or null' };
  if (key === null) return { key: undefined };
  if (key.length > MAX_KEY) return { problem: `its value is longer than ${MAX_KEY} characters` };
  if (CONTROL.test(key) || !key.isWellFormed())
    return { problem: 'its value has control characters or is no Unicode text' };
  return { key };
}

function textOf(value: CelValue): string | null | undefined {
  if (value === null || typeof value === 'string') return value;
  if (isCelUint(value)) return String(value.value);
  return ['bigint', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}
