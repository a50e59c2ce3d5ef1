/** Expressions that decide which causes count for a trigger, and which belong together: CEL over `cause`. */
import { type CelValue, isCelError, plan } from '@bufbuild/cel';
import { messageOf, parseCel } from '../base/cel.ts';
import { CALL_BUDGET, Meter } from '../base/cel-cost.ts';
import { meteredEnv } from '../base/cel-env.ts';
import { asCel } from '../base/cel-values.ts';
import { keyFrom, MAX_EXPRESSION } from '../definitions/key-expression.ts';

/** `cause` as the expressions see it: JSON. */
export type CauseValue = Readonly<Record<string, unknown>>;

interface Evaluated {
  readonly value: CelValue | Error;
  readonly steps: number;
}

export interface CauseExpression {
  readonly evaluate: (cause: CauseValue) => Evaluated;
}

const env = meteredEnv([]);

/** Returns the compiled expression, or the problem as the end of a sentence that begins with the field's name. */
export function compileCauseExpression(text: string): CauseExpression | { readonly problem: string } {
  if (text.length > MAX_EXPRESSION) return { problem: `is longer than ${MAX_EXPRESSION} characters` };
  const parsed = parseCel(text, ['cause'], CALL_BUDGET);
  if ('problem' in parsed) return parsed;
  const evaluate = plan(env, parsed.root);
  return {
    evaluate: (cause) => {
      const meter = new Meter(CALL_BUDGET);
      const value = meter.run(() => {
        try {
          meter.spend(parsed.nodes, 0);
          return evaluate({ cause: asCel(cause) }) as CelValue | Error;
        } catch (error) {
          return new Error(messageOf(error));
        }
      });
      return { value: meter.problem === undefined ? value : new Error(meter.problem), steps: meter.steps };
    },
  };
}

export interface Judged {
  /** Undefined: it does not count. */
  readonly key: string | undefined;
  readonly steps: number;
}

/** Maximum expressions that are kept compiled, of all triggers. */
const MAX_COMPILED = 2_000;

/** Whether a cause counts, and its key. An expression that fails counts as false, and as no key. */
export class CauseJudge {
  readonly #compiled = new Map<string, CauseExpression>();

  judge({ filter, key }: { readonly filter: string; readonly key: string }, cause: CauseValue): Judged {
    let steps = 0;
    const evaluated = (text: string) => {
      const found = this.#expression(text).evaluate(cause);
      steps += found.steps;
      return found.value;
    };
    if (filter !== '' && evaluated(filter) !== true) return { key: undefined, steps };
    if (key === '') return { key: '', steps };
    const value = evaluated(key);
    const found = isCelError(value) || value instanceof Error ? undefined : keyFrom(value);
    return { key: found && 'key' in found ? found.key : undefined, steps };
  }

  #expression(text: string): CauseExpression {
    const known = this.#compiled.get(text);
    if (known) return known;
    const compiled = compileCauseExpression(text);
    // It was checked when the trigger was applied.
    if ('problem' in compiled) throw new Error(`an expression that was stored ${compiled.problem}`);
    if (this.#compiled.size >= MAX_COMPILED) this.#compiled.clear();
    this.#compiled.set(text, compiled);
    return compiled;
  }
}
