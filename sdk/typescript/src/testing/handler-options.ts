/** Options of a handler under test. */
import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '../duration.ts';
import type { Assignment } from '../gen/muster/worker/v1/assignment_pb.ts';
import { AssignmentSchema } from '../gen/muster/worker/v1/assignment_pb.ts';
import type { Known } from '../options/known-options.ts';
import { refuseUnknownOptions } from '../options/known-options.ts';
import { encodePayload } from '../payload.ts';
import { uuidToBytes } from '../uuid.ts';
import { DEFAULT_RUN_TIMEOUT } from '../worker/core/base/limits.ts';
import type { StopReason } from '../worker/core/base/ports.ts';
import type { HandlerFunction, VersionedHandler } from '../worker/handler.ts';

/**
 * Runs children of a definition: a handler of the test that returns their results, or the production handler. An error
 * that it throws is the child's failure. `open`: the children do not end, and a handler that waits for one ends
 * `suspended`.
 */
export type TestChild = HandlerFunction | VersionedHandler | 'open';

/** The attempt that the handler runs. All fields are optional; the default is the first attempt of a new job. */
export interface HandlerOptions {
  /** UUID of the job. Default: a new one. */
  readonly jobId?: string;
  /** Number of the attempt, from 1. Default: 1. */
  readonly attempt?: number;
  /** Earlier attempts that count. Default: 0. */
  readonly attemptCount?: number;
  /** Default: `default`. */
  readonly namespace?: string;
  /** Name of the definition. Default: `test`. */
  readonly definition?: string;
  /** Version of the definition. Default: 1. */
  readonly definitionVersion?: number;
  /** Run timeout in milliseconds; not enforced here. Default: one hour. */
  readonly runTimeoutMs?: number;
  /** Checkpoint of an earlier attempt, as passed to `ctx.checkpoint`. Default: none. */
  readonly lastCheckpoint?: unknown;
  /** W3C trace context of the attempt. Default: none. */
  readonly traceparent?: string;
  /** W3C trace state for `traceparent`. Default: none. */
  readonly tracestate?: string;
  /** Maximum size of a result or checkpoint, in bytes. Default: 512 KiB. */
  readonly maxPayload?: number;
  /** Stop reason that is set before the handler begins. Default: none. */
  readonly stopReason?: StopReason;
  /**
   * Runs its children, by definition. They run when the handler waits for them; then the handler runs again from its
   * start, as a later attempt, with its last checkpoint. Default: none; submitting a child fails with
   * DEFINITION_NOT_FOUND.
   */
  readonly children?: Readonly<Record<string, TestChild>>;
}

const known: Known<HandlerOptions> = {
  jobId: true,
  attempt: true,
  attemptCount: true,
  namespace: true,
  definition: true,
  definitionVersion: true,
  runTimeoutMs: true,
  lastCheckpoint: true,
  traceparent: true,
  tracestate: true,
  maxPayload: true,
  stopReason: true,
  children: true,
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MAX_PAYLOAD = 512 * 1024;

export function maxPayloadOf({ maxPayload = MAX_PAYLOAD }: HandlerOptions): number {
  return maxPayload;
}

/**
 * @throws TypeError when an option is unknown, a value can't be written as JSON, or the id is no UUID; RangeError when a
 *   number is out of range.
 */
export function assignmentOf(options: HandlerOptions, input: unknown): Assignment {
  refuseUnknownOptions('runHandler', options, known);
  const { jobId = randomUUID(), lastCheckpoint, definition = 'test' } = options;
  if (!UUID.test(jobId)) throw new TypeError(`jobId: "${jobId}" is no UUID: write one, or leave it out`);
  const assignment = create(AssignmentSchema, {
    jobId: uuidToBytes(jobId),
    attempt: wholeFrom(1, 'attempt', options.attempt ?? 1),
    attemptCount: wholeFrom(0, 'attemptCount', options.attemptCount ?? 0),
    namespace: options.namespace ?? 'default',
    definition,
    definitionVersion: wholeFrom(1, 'definitionVersion', options.definitionVersion ?? 1),
    handler: definition,
    runTimeout: durationFromMs(options.runTimeoutMs ?? DEFAULT_RUN_TIMEOUT),
    traceparent: options.traceparent ?? '',
    tracestate: options.tracestate ?? '',
  });
  const [given, checkpoint] = [encodePayload(input), encodePayload(lastCheckpoint)];
  if (given !== undefined) assignment.input = given;
  if (checkpoint !== undefined) assignment.checkpoint = checkpoint;
  return assignment;
}

function wholeFrom(least: number, field: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new RangeError(`${field}: ${value} is no whole number from ${least} on: write one, or leave it out`);
}
