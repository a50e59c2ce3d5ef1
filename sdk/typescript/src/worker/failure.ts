/** Converts what a handler threw to the reported failure. */
import { durationFromMs } from '../duration.ts';
import type { Failure } from '../gen/muster/v1/failure_pb.ts';
import { FailureCause } from '../gen/muster/v1/failure_pb.ts';
import { InfrastructureError, NonRetryableError, RetryLater } from './handler.ts';

const MAX_TYPE = 256;
const MAX_MESSAGE = 8 * 1024;
const MAX_STACK = 16 * 1024;
const MAX_CAUSES = 16;

const encoder = new TextEncoder();

/** Never throws: anything can be thrown, and its type and message are read as far as possible. */
export function toFailure(error: unknown): Failure {
  try {
    return failureOf(error);
  } catch (broken) {
    return describe(new NotAnError(`a value that can't be read: ${textOf(broken)}`), 1);
  }
}

function failureOf(error: unknown): Failure {
  const failure = describe(error, 1);
  if (error instanceof NonRetryableError) failure.nonRetryable = true;
  if (error instanceof InfrastructureError) failure.failureCause = FailureCause.INFRASTRUCTURE;
  if (error instanceof RetryLater) failure.retryDelay = durationFromMs(error.delayMs);
  return failure;
}

function describe(error: unknown, level: number): Failure {
  const thrown = error instanceof Error ? error : new NotAnError(textOf(error));
  const failure: Failure = {
    $typeName: 'muster.v1.Failure',
    type: cut(typeName(thrown), MAX_TYPE),
    message: cut(textOf(thrown.message), MAX_MESSAGE),
    stackTrace: cut(textOf(thrown.stack ?? ''), MAX_STACK),
    failureCause: FailureCause.APPLICATION,
    nonRetryable: false,
    exitCode: exitCodeOf(thrown),
  };
  if (thrown.cause !== undefined && level < MAX_CAUSES) failure.cause = describe(thrown.cause, level + 1);
  return failure;
}

/** A subclass that sets no name is named after its class. */
function typeName(thrown: Error): string {
  const name = textOf(thrown.name);
  return name === 'Error' || name === '' ? textOf(thrown.constructor?.name ?? 'Error') : name;
}

/** 0 means no exit code. */
function exitCodeOf(thrown: Error): number {
  const { exitCode } = thrown as { exitCode?: unknown };
  return Number.isInteger(exitCode) && Number(exitCode) >= 1 && Number(exitCode) <= 255 ? Number(exitCode) : 0;
}

export function textOf(value: unknown): string {
  try {
    return String(value).toWellFormed();
  } catch {
    return `a ${typeof value} that can't be written as text`;
  }
}

/** The longest prefix of whole characters that fits into `maxBytes` of UTF-8. */
function cut(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(maxBytes)).read);
}

class NotAnError extends Error {
  override readonly name = 'NotAnError';
  override readonly stack = '';

  constructor(thrown: string) {
    super(`the handler threw ${thrown}, which is no error`);
  }
}
