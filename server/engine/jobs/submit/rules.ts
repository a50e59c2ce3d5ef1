/** Applies the submission rules of definitions: the keys of a call's submissions, and refusals. */
import { createHash } from 'node:crypto';
import type { JobDefinition } from '../../../domain/definitions/definition.ts';
import { type InputKey, keyOfFields, keyOfInput } from '../../../domain/jobs/input-key.ts';
import type { RuleRefusal } from '../../../domain/jobs/rule-keys.ts';
import { periodStart } from '../../../domain/jobs/submission-rule.ts';
import { pause } from '../../base/collisions.ts';
import { EngineError } from '../../base/errors.ts';
import type { Timers } from '../../ports/ports.ts';
import type { NewJob, RuleKey, Submission } from '../../ports/submissions.ts';

/** A submission with its definition, and its path in the request. */
export interface RuledSubmission {
  readonly index: number;
  readonly namespace: string;
  readonly submission: Submission;
  readonly definition: JobDefinition;
  readonly path: string;
}

export interface RuleKeysParts {
  readonly timers: Timers;
  readonly startingAt: (submission: Submission, definition: JobDefinition, startUs: number) => Partial<NewJob>;
}

/** Max bytes of inputs read without a pause: parsing JSON for its value takes up to 3 ms per 10 KiB. */
const BYTES_AT_ONCE = 64 << 10;

/** One key for each submission with an applicable rule. Throws INVALID_FIELD. */
export async function ruleKeysOf(
  parts: RuleKeysParts,
  submissions: readonly RuledSubmission[],
  nowUs: number,
): Promise<RuleKey[]> {
  const keys: RuleKey[] = [];
  let bytes = 0;
  for (const ruled of submissions) {
    bytes += ruled.submission.input.data.length;
    // A pause lets heartbeats be served.
    if (bytes > BYTES_AT_ONCE) await pause(parts.timers, 0);
    if (bytes > BYTES_AT_ONCE) bytes = 0;
    const key = ruleKeyOf(parts, ruled, nowUs);
    if (key) keys.push(key);
  }
  return keys;
}

export function hasRules({ uniqueness, debounce, throttle }: JobDefinition): boolean {
  return uniqueness !== undefined || debounce !== undefined || throttle !== undefined;
}

/** Whether a debounce sets the job's start. Not for manual retries, which must run. */
export function isDebounced({ retryOf, parent }: Submission, { debounce }: JobDefinition): boolean {
  return debounce !== undefined && retryOf === undefined && parent === undefined;
}

function ruleKeyOf(parts: RuleKeysParts, ruled: RuledSubmission, nowUs: number): RuleKey | undefined {
  const { index, submission, definition } = ruled;
  const { uniqueness, debounce, throttle } = definition;
  const { retryOf } = submission;
  if (uniqueness) {
    const { states, policy } = uniqueness;
    // A retry must make a new job, so it is refused instead of answered with the existing one.
    const kind = { kind: 'UNIQUENESS', states, policy: retryOf === undefined ? policy : 'REJECT', retryOf } as const;
    return { index, hash: uniqueHash(ruled, nowUs), ...kind };
  }
  if (retryOf !== undefined) return undefined;
  if (debounce) {
    refuseStart(ruled);
    const startingAt = (startUs: number) => parts.startingAt(submission, definition, startUs);
    const hash = hashOf(ruled, 'DEBOUNCE', fieldsOf(ruled, 'debounce'));
    return { index, hash, kind: 'DEBOUNCE', maxWaitMs: debounce.maxWaitMs, startingAt };
  }
  if (!throttle) return undefined;
  const hash = hashOf(ruled, 'THROTTLE', fieldsOf(ruled, 'throttle'));
  return { index, hash, kind: 'THROTTLE', periodMs: throttle.periodMs, policy: throttle.policy };
}

function uniqueHash(ruled: RuledSubmission, nowUs: number): Uint8Array {
  const { submission, definition } = ruled;
  const { byInput, periodMs, byQueue } = definition.uniqueness as NonNullable<JobDefinition['uniqueness']>;
  const input = byInput ? keyOfInput(submission.input) : fieldsOf(ruled, 'uniqueness');
  const period = periodMs === undefined ? null : [periodMs, periodStart(nowUs, periodMs)];
  const queue = byQueue ? submission.queue || definition.queue : null;
  return hashOf(ruled, 'UNIQUENESS', input, period, queue);
}

const noInput: InputKey = { text: '' };

function fieldsOf({ submission, definition, path }: RuledSubmission, rule: 'uniqueness' | 'debounce' | 'throttle') {
  const paths = definition[rule]?.fields ?? [];
  if (paths.length === 0) return noInput;
  const key = keyOfFields(submission.input, paths);
  if (!('problem' in key)) return key;
  throw new EngineError(
    'INVALID_FIELD',
    `${path}.input ${key.problem}, which ${rule}.fields of definition ${definition.name} names`,
    { field: `${path}.input`, metadata: { definition: definition.name } },
  );
}

function refuseStart({ submission, definition, path }: RuledSubmission): void {
  const name = startIn(submission);
  if (!name) return;
  throw new EngineError(
    'INVALID_FIELD',
    `${path}.${name} is set, and the debounce of definition ${definition.name} says when its jobs start: leave it out`,
    { field: `${path}.${name}`, metadata: { definition: definition.name } },
  );
}

/** The field that sets the start. */
function startIn({ delayMs, runTimeUs, dependencies }: Submission): string | undefined {
  if (delayMs !== undefined) return 'delay';
  if (runTimeUs !== undefined) return 'run_time';
  return dependencies ? 'depends_on' : undefined;
}

function hashOf(
  { namespace, definition }: RuledSubmission,
  kind: RuleKey['kind'],
  input: InputKey,
  ...rest: readonly unknown[]
): Uint8Array {
  const text = JSON.stringify([namespace, definition.name, kind, rest, input.text]);
  const hash = createHash('sha256').update(text);
  return (input.bytes ? hash.update(input.bytes) : hash).digest();
}

/** The error for a job that a rule refuses. */
export function refusalOf(result: RuleRefusal, pathOf: (index: number) => string): EngineError {
  const { index, jobId, ofIndex } = result;
  const path = pathOf(index);
  const other = ofIndex === undefined ? `job ${jobId}` : `${pathOf(ofIndex)} of the same call`;
  const facts = { field: path, metadata: jobId === undefined ? {} : { job_id: jobId } };
  if (result.kind === 'duplicate')
    return new EngineError(
      'DUPLICATE_JOB',
      `${path} is a duplicate of ${other} by the uniqueness of its definition`,
      facts,
    );
  return new EngineError('THROTTLED', `${path} comes too soon after ${other} by the throttle of its definition`, {
    ...facts,
    retryAfterMs: result.retryAfterMs,
  });
}
