/** Failures as JSON text, the form in which the store keeps them. Bytes of details are base64. */
import type { Failure, Payload } from '../../domain/base/payload.ts';

interface StoredFailure extends Omit<Failure, 'cause' | 'details'> {
  readonly cause?: StoredFailure | undefined;
  readonly details?: (Omit<Payload, 'data'> & { readonly data: string }) | undefined;
}

function stored(failure: Failure): StoredFailure {
  const { cause, details, ...rest } = failure;
  return {
    ...rest,
    ...(cause ? { cause: stored(cause) } : {}),
    ...(details ? { details: { ...details, data: Buffer.from(details.data).toString('base64') } } : {}),
  };
}

function restored(failure: StoredFailure): Failure {
  const { cause, details, ...rest } = failure;
  return {
    ...rest,
    ...(cause ? { cause: restored(cause) } : {}),
    ...(details ? { details: { ...details, data: new Uint8Array(Buffer.from(details.data, 'base64')) } } : {}),
  };
}

/** The same failure always gives the same text. */
export function failureText(failure: Failure): string {
  return JSON.stringify(stored(failure));
}

export function failureOf(text: string): Failure {
  return restored(JSON.parse(text));
}
