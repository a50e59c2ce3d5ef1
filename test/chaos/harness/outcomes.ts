/** What a failed call tells: nothing about what happened, or that it did not. */
import { Code, MusterError } from '@muster/sdk';

/** The outcome is unknown, or it was not even tried: it may be said again. */
const unknown: ReadonlySet<number> = new Set([
  Code.UNAVAILABLE,
  Code.DEADLINE_EXCEEDED,
  Code.CANCELLED,
  Code.RESOURCE_EXHAUSTED,
  Code.ABORTED,
]);

/** A connection that breaks may also end a call as INTERNAL or UNKNOWN; the control plane's own INTERNAL names a reason. */
export function isUnknown(error: unknown): boolean {
  if (!(error instanceof MusterError)) return false;
  const broken = (error.code === Code.INTERNAL || error.code === Code.UNKNOWN) && error.reason === '';
  return unknown.has(error.code) || broken;
}

export function isLeaseLost(error: unknown): boolean {
  return error instanceof MusterError && error.reason === 'LEASE_LOST';
}
