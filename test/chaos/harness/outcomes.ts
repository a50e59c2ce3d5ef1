/** Whether a failed call leaves its outcome unknown, or certainly did nothing. */
import { Code, MusterError } from '@muster-jobs/sdk';

/** The outcome is unknown, or the call was not even tried: it may be repeated. */
const unknown: ReadonlySet<number> = new Set([
  Code.UNAVAILABLE,
  Code.DEADLINE_EXCEEDED,
  Code.CANCELLED,
  Code.RESOURCE_EXHAUSTED,
  Code.ABORTED,
]);

/** By its name, because a checkout with borrowed `node_modules` has the SDK, and so the class, twice. */
function asMusterError(error: unknown): MusterError | undefined {
  if (error instanceof MusterError) return error;
  return error instanceof Error && error.name === 'MusterError' ? (error as MusterError) : undefined;
}

/** A broken connection may also end a call as INTERNAL or UNKNOWN; the control plane's own INTERNAL names a reason. */
export function isUnknown(error: unknown): boolean {
  const known = asMusterError(error);
  if (!known) return false;
  const broken = (known.code === Code.INTERNAL || known.code === Code.UNKNOWN) && known.reason === '';
  return unknown.has(known.code) || broken;
}

export function isLeaseLost(error: unknown): boolean {
  return asMusterError(error)?.reason === 'LEASE_LOST';
}

/** For the log: the reason and the message of the control plane. */
export function reasonOf(error: unknown): string {
  const known = asMusterError(error);
  return known ? `${known.reason}: ${known.message}` : String(error);
}
