/** Expressions over the labels of a session, in CEL, that are true of those that may run a job, or that had better do. */
import { celEnv, plan } from '@bufbuild/cel';
import { parseCel } from '../base/cel.ts';

/** In characters. */
export const MAX_LABEL_EXPRESSION = 1_024;

export interface LabelExpression {
  /** An expression without a value, such as one that names a label which is not there, is not true. */
  readonly isTrueOf: (labels: Readonly<Record<string, string>>) => boolean;
}

/** Or what is wrong with the text, as an end of a sentence that begins with its field. */
export function compileLabels(text: string): LabelExpression | { readonly problem: string } {
  if (text.length > MAX_LABEL_EXPRESSION) return { problem: `is longer than ${MAX_LABEL_EXPRESSION} characters` };
  const parsed = parseCel(text, ['labels']);
  if ('problem' in parsed) return parsed;
  if (!parsed.used.has('labels')) return { problem: 'says nothing of labels: it is alike for all workers' };
  const evaluate = plan(celEnv(), parsed.root);
  // A map: an object with a key such as "constructor" is none to CEL.
  return { isTrueOf: (labels) => evaluate({ labels: new Map(Object.entries(labels)) }) === true };
}
