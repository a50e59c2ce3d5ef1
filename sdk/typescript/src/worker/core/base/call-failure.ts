/** The parts of a failed call that the core reads, whatever error the port threw. */
import { Code } from '../../../error.ts';

export interface CallFailure {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly retryDelayMs: number | undefined;
}

export function callFailure(error: unknown): CallFailure {
  const facts = typeof error === 'object' && error !== null ? (error as Partial<CallFailure>) : {};
  return {
    code: facts.code ?? Code.UNKNOWN,
    reason: facts.reason ?? '',
    message: facts.message ?? String(error),
    retryDelayMs: facts.retryDelayMs,
  };
}

/** The session is closed: the worker must stop everything and open a new one. */
export function isLeaseLost(failure: CallFailure): boolean {
  return failure.code === Code.FAILED_PRECONDITION && failure.reason === 'LEASE_LOST';
}

const FATAL: ReadonlySet<number> = new Set([
  Code.INVALID_ARGUMENT,
  Code.PERMISSION_DENIED,
  Code.FAILED_PRECONDITION,
  Code.UNIMPLEMENTED,
  Code.UNAUTHENTICATED,
]);

/** The server would refuse the same OpenSession again. */
export function isFatal(failure: CallFailure): boolean {
  return FATAL.has(failure.code);
}
