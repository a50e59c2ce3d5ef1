/** What the rules of definitions mean for the submissions of a call: their keys, and what is refused. */
import { createHash } from 'node:crypto';
import type { JobDefinition } from '../domain/definition.ts';
import { type InputKey, keyOfFields, keyOfInput } from '../domain/input-key.ts';
import type { JobState } from '../domain/job-state.ts';
import type { Change } from '../domain/run.ts';
import { type DuplicatePolicy, periodStart } from '../domain/submission-rule.ts';
import { pause } from './collisions.ts';
import { EngineError } from './errors.ts';
import type { Timers } from './ports.ts';
import type { NewJob } from './store-port.ts';
import type { Submission } from './submissions.ts';

interface KeyOfJob {
  /** Place of the job in its call. */
  readonly index: number;
  /** Unlike that of any other rule, definition or namespace. */
  readonly hash: Uint8Array;
}

export interface UniqueKey extends KeyOfJob {
  readonly kind: 'UNIQUENESS';
  readonly states: readonly JobState[];
  readonly policy: DuplicatePolicy;
  /** The job that this one retries: it is not in its way. */
  readonly retryOf: string | undefined;
}

export interface DebounceKey extends KeyOfJob {
  readonly kind: 'DEBOUNCE';
  readonly maxWaitMs: number;
  /** What changes in the job where it starts earlier than after its wait. */
  readonly startingAt: (startUs: number) => Partial<NewJob>;
}

export interface ThrottleKey extends KeyOfJob {
  readonly kind: 'THROTTLE';
  readonly periodMs: number;
  readonly policy: DuplicatePolicy;
}

export type RuleKey = UniqueKey | DebounceKey | ThrottleKey;

/** Why a call is refused: the job that is there, or the place of the one in the same call. */
export type RuleRefusal = {
  readonly index: number;
  readonly jobId?: string;
  readonly ofIndex?: number;
} & ({ readonly kind: 'duplicate' } | { readonly kind: 'throttled'; readonly retryAfterMs: number });

/** Jobs that have ended because debounced ones took their place, and when the first of those starts, if any does. */
export interface Replaced {
  readonly changes: readonly Change[];
  readonly dueUs?: number | undefined;
}

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

/** Inputs that are read in one go: reading JSON by its value takes some 3 ms for each 10 KiB at the worst. */
const BYTES_AT_ONCE = 64 << 10;

/** One key for each submission whose definition has a rule that holds for it. Throws INVALID_FIELD. */
export async function ruleKeysOf(
  parts: RuleKeysParts,
  submissions: readonly RuledSubmission[],
  nowUs: number,
): Promise<RuleKey[]> {
  const keys: RuleKey[] = [];
  let bytes = 0;
  for (const ruled of submissions) {
    bytes += ruled.submission.input.data.length;
    // Heartbeats are served between.
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

/** Whether a debounce says when the job starts. Whoever retries a job by hand wants it to run. */
export function isDebounced({ retryOf, parent }: Submission, { debounce }: JobDefinition): boolean {
  return debounce !== undefined && retryOf === undefined && parent === undefined;
}

function ruleKeyOf(parts: RuleKeysParts, ruled: RuledSubmission, nowUs: number): RuleKey | undefined {
  const { index, submission, definition } = ruled;
  const { uniqueness, debounce, throttle } = definition;
  const { retryOf } = submission;
  if (uniqueness) {
    const { states, policy } = uniqueness;
    // A retry that another job were the answer to would not be one.
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

/** The field that says something of the start. */
function startIn({ delayMs, runTimeUs, dependencies }: Submission): string | undefined {
  if (delayMs !== undefined) return 'delay';
  if (runTimeUs !== undefined) return 'run_time';
  return dependencies ? 'dependencies' : undefined;
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

/** What the caller is told of a job that was one too many. */
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
