/** Computes a job's keys by its definition: for fairness, for limits, and for signals. */
import type { JobDefinition } from '../../../domain/definitions/definition.ts';
import { compileKey, type KeyExpression } from '../../../domain/definitions/key-expression.ts';
import type { SignalWait } from '../../../domain/signals/wait.ts';
import { derivedUuid } from '../../base/derived-ids.ts';
import { EngineError } from '../../base/errors.ts';
import type { NewJob, Submission } from '../../ports/submissions.ts';

export type JobKeys = Pick<NewJob, 'fairnessKey' | 'limitKey' | 'limitId'>;

const none: JobKeys = {};

/** Max cached expressions, and max cached ids. */
const MAX_KEPT = 10_000;

export class JobKeysOf {
  #expressions = new Map<string, KeyExpression>();
  #limitIds = new Map<string, string>();

  /** `path` is the submission's path in the request. Throws INVALID_FIELD if an expression has no value for the job. */
  of(submission: Submission, definition: JobDefinition, path: string): JobKeys {
    const { keyLimit, wait } = definition;
    const fairness = submission.fairnessKey ? undefined : definition.fairnessKey;
    if (!keyLimit && !fairness && !submission.fairnessKey && !wait) return none;
    const evaluate = this.#evaluator(submission, path);
    // Evaluated at submission, so that a job that could never wait is refused; stored when its wait starts.
    if (wait?.kind === 'SIGNAL' && wait.key) evaluate(wait.key, 'wait.signal.key');
    const limitKey = keyLimit && (keyLimit.key === '' ? '' : evaluate(keyLimit.key, 'key_limit.key'));
    return {
      fairnessKey: submission.fairnessKey || (fairness && evaluate(fairness, 'fairness_key')) || undefined,
      limitKey,
      limitId: limitKey === undefined ? undefined : this.#limitId(definition, limitKey),
    };
  }

  /** The event key of a wait. Throws INVALID_FIELD under the same conditions as `of`. */
  signalKey({ key }: SignalWait, job: Pick<Submission, 'input' | 'labels'>): string {
    return key ? (this.#evaluator(job, 'job')(key, 'wait.signal.key') ?? '') : '';
  }

  /** Parses the input once, when an expression needs it. */
  #evaluator(
    { input, labels }: Pick<Submission, 'input' | 'labels'>,
    path: string,
  ): (text: string, field: string) => string | undefined {
    let parsed: { readonly value: unknown } | undefined;
    // Fairness and limits often use the same expression.
    let last: { readonly text: string; readonly key: string | undefined } | undefined;
    return (text, field) => {
      if (last?.text === text) return last.key;
      const expression = this.#compiled(text);
      if (expression.usesInput) parsed ??= { value: jsonOf(input.data, input.contentType) };
      const result = expression.keyOf(parsed?.value ?? null, labels);
      if ('problem' in result) throw noKey(`${path}.input`, field, text, result.problem);
      last = { text, key: result.key };
      return result.key;
    };
  }

  #compiled(text: string): KeyExpression {
    let expression = this.#expressions.get(text);
    if (!expression) {
      const compiled = compileKey(text);
      if ('problem' in compiled) throw new Error(`an expression that was stored ${compiled.problem}`);
      expression = compiled;
      keep(this.#expressions, text, expression);
    }
    return expression;
  }

  #limitId({ namespace, name }: JobDefinition, key: string): string {
    // Names contain no slash.
    const known = `${namespace}/${name}/${key}`;
    let id = this.#limitIds.get(known);
    if (id === undefined) {
      id = derivedUuid(`limit ${JSON.stringify([namespace, name, key])}`);
      keep(this.#limitIds, known, id);
    }
    return id;
  }
}

function keep<T>(kept: Map<string, T>, name: string, value: T): void {
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(name, value);
}

/** Null if it is not JSON: an expression that reads a field then has no value. */
function jsonOf(data: Uint8Array, contentType: string): unknown {
  if (contentType !== '' && contentType !== 'application/json') return null;
  try {
    return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString());
  } catch {
    return null;
  }
}

function noKey(field: string, expression: string, text: string, problem: string): EngineError {
  const why = `gives no ${expression} by ${text}: ${problem}`;
  return new EngineError('INVALID_FIELD', `${field} ${why}`, { field, violations: [{ field, description: why }] });
}
