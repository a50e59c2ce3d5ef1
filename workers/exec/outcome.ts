/** Converts the end of a process to the outcome of its job: a result, or a failure that retry policies understand. */
import { constants } from 'node:os';
import { InfrastructureError, type JobContext, NonRetryableError, payload, RetryLater } from '@muster-jobs/sdk';
import { type CommandSpec, DEFAULT_EXIT_RULES, type ExitRule, type OutputType } from './command-spec.ts';

type Result = ReturnType<typeof payload>;

/** How a process ended: exactly one of the two is set. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface FailureFacts extends ExitRule {
  readonly type: string;
  readonly message: string;
  readonly exitCode?: number;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** An error with these facts for a handler to throw, without a stack of the worker's own code. */
export function failureOf({
  type,
  message,
  exitCode,
  nonRetryable,
  retryDelayMs,
  infrastructure,
}: FailureFacts): Error {
  const error = nonRetryable
    ? new NonRetryableError(message)
    : infrastructure
      ? new InfrastructureError(message)
      : retryDelayMs !== undefined
        ? new RetryLater(retryDelayMs, message)
        : new Error(message);
  return Object.assign(error, { name: type, stack: '', ...(exitCode !== undefined && { exitCode }) });
}

/** The command could not be started, and the next attempt could not either. */
export function cannotStart(message: string): Error {
  return failureOf({ type: 'CannotStart', message, nonRetryable: true });
}

export function outputTooLarge(limit: number): Error {
  const message = `stdout has more than ${limit} bytes, the maximum of a result`;
  return failureOf({ type: 'OutputTooLarge', message, nonRetryable: true });
}

/** Has the type and the exit code after which a job may get more memory on its next attempt. */
export function outOfMemory(used: number, limit: number): Error {
  const message = `the command used ${used} bytes of memory and was killed; the limit is ${limit}`;
  return failureOf({ type: 'OutOfMemory', message, exitCode: 128 + constants.signals.SIGKILL });
}

/** The failure for an end; `undefined`: success. `last`: the last lines on stderr. */
export function failureOfEnd(end: ProcessEnd, { exitRules }: CommandSpec, last: string): Error | undefined {
  const said = last === '' ? '' : `: ${last}`;
  if (end.signal !== null) {
    const exitCode = 128 + constants.signals[end.signal];
    return failureOf({ type: 'Signal', message: `ended by ${end.signal}${said}`, exitCode });
  }
  const exitCode = end.code ?? 0;
  if (exitCode === 0) return undefined;
  const rule = exitRules.get(exitCode) ?? DEFAULT_EXIT_RULES.get(exitCode) ?? {};
  return failureOf({ ...rule, type: rule.type ?? 'ExitCode', message: `exit code ${exitCode}${said}`, exitCode });
}

/** @throws NonRetryableError of type `InvalidOutput` when stdout does not match the handler's output type. */
export function resultOf(stdout: Buffer, output: OutputType): Result | undefined {
  switch (output) {
    case 'bytes':
      return payload(stdout, 'application/octet-stream');
    case 'text':
      if (!isText(stdout)) throw invalidOutput('stdout is not text in UTF-8; output "bytes" takes anything');
      return payload(stdout, 'text/plain; charset=utf-8');
    case 'json': {
      const fault = jsonFault(stdout);
      if (fault !== undefined) throw invalidOutput(`stdout is not JSON: ${fault}`);
      return payload(stdout, 'application/json');
    }
    case 'auto':
      if (stdout.length === 0) return undefined;
      if (jsonFault(stdout) === undefined) return payload(stdout, 'application/json');
      return resultOf(stdout, isText(stdout) ? 'text' : 'bytes');
    default:
      return output satisfies never;
  }
}

function invalidOutput(message: string): Error {
  return failureOf({ type: 'InvalidOutput', message, nonRetryable: true });
}

function isText(bytes: Buffer): boolean {
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function jsonFault(bytes: Buffer): string | undefined {
  try {
    JSON.parse(utf8.decode(bytes));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The checkpoint of an earlier attempt as bytes for a file. */
export function checkpointBytes({ lastCheckpoint }: JobContext): Uint8Array | undefined {
  if (lastCheckpoint === undefined) return undefined;
  return lastCheckpoint instanceof Uint8Array ? lastCheckpoint : Buffer.from(JSON.stringify(lastCheckpoint));
}
