/** CEL expressions over the labels of a session: true for sessions that may run a job, or that are preferred for it. */
import { celEnv, plan } from '@bufbuild/cel';
import { parseCel } from '../base/cel.ts';

/** Maximum, in characters. */
export const MAX_LABEL_EXPRESSION = 1_024;

export interface LabelExpression {
  /** An expression without a value, such as one that names a label which is not there, is not true. */
  readonly isTrueOf: (labels: Readonly<Record<string, string>>) => boolean;
}

/** Returns the compiled expression, or the problem as the end of a sentence that begins with the field's name. */
export function compileLabels(text: string): LabelExpression | { readonly problem: string } {
  if (text.length > MAX_LABEL_EXPRESSION) return { problem: `is longer than ${MAX_LABEL_EXPRESSION} characters` };
  const parsed = parseCel(text, ['labels']);
  if ('problem' in parsed) return parsed;
  if (!parsed.used.has('labels')) return { problem: 'does not use labels: its value is the same for all workers' };
  const evaluate = plan(celEnv(), parsed.root);
  // A Map: CEL does not find a key such as "constructor" in an object.
  return { isTrueOf: (labels) => evaluate({ labels: new Map(Object.entries(labels)) }) === true };
}
