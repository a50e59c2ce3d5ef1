/** CEL expressions over the labels of a session: true for sessions that may run a job, or that are preferred for it. */
import { plan } from '@bufbuild/cel';
import { parseCel } from '../base/cel.ts';
import { CALL_BUDGET, Meter } from '../base/cel-cost.ts';
import { meteredEnv } from '../base/cel-env.ts';
import { asCel } from '../base/cel-values.ts';

const env = meteredEnv([]);

/** Maximum, in characters. */
export const MAX_LABEL_EXPRESSION = 1_024;

export interface LabelExpression {
  /** An expression without a value, such as one that names a label which is not there or costs too much, is not true. */
  readonly isTrueOf: (labels: Readonly<Record<string, string>>) => boolean;
}

/** Returns the compiled expression, or the problem as the end of a sentence that begins with the field's name. */
export function compileLabels(text: string): LabelExpression | { readonly problem: string } {
  if (text.length > MAX_LABEL_EXPRESSION) return { problem: `is longer than ${MAX_LABEL_EXPRESSION} characters` };
  const parsed = parseCel(text, ['labels'], CALL_BUDGET);
  if ('problem' in parsed) return parsed;
  if (!parsed.used.has('labels')) return { problem: 'does not use labels: its value is the same for all workers' };
  const evaluate = plan(env, parsed.root);
  return {
    isTrueOf: (labels) => {
      const meter = new Meter(CALL_BUDGET);
      const value = meter.run(() => {
        meter.spend(parsed.nodes, 0);
        return evaluate({ labels: asCel(labels) });
      });
      return value === true && meter.problem === undefined;
    },
  };
}
