// Outcomes of attempts, as fields of AttemptReport.
import { bytes, nested, number } from './protobuf.mjs';

export const Release = { NO_SLOT: 1, DEAD_CREDIT: 2, CANCELLED: 4, DRAIN: 5, UNSUPPORTED: 6 };
const Cause = { APPLICATION: 1, TIMEOUT: 2 };

const JSON_TYPE = 'application/json';

/** The handler's return value, as JSON. */
export function result(value, maxPayload) {
  const data = Buffer.from(JSON.stringify(value ?? null));
  if (data.length <= maxPayload) return nested(3, bytes(1, data), bytes(2, JSON_TYPE));
  return finalFailure('ResultTooLarge', `the result has ${data.length} bytes; the maximum is ${maxPayload}`);
}

export function failure(error) {
  const { name = 'Error', message = String(error), stack = '' } = error instanceof Error ? error : {};
  return nested(4, bytes(1, name), bytes(2, message), bytes(3, stack), number(4, Cause.APPLICATION));
}

export function finalFailure(type, message) {
  return nested(4, bytes(1, type), bytes(2, message), number(4, Cause.APPLICATION), number(5, 1));
}

export function timedOut() {
  const message = 'the handler did not return within its run timeout';
  return nested(4, bytes(1, 'RunTimeout'), bytes(2, message), number(4, Cause.TIMEOUT));
}

export const released = (reason) => nested(5, number(1, reason));
export const cancelled = () => nested(6);
export const aborted = () => nested(7);
