/** Checks that a reply contains a required field. */
import { Code, MusterError } from '@muster-jobs/sdk/grpc';

export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new MusterError({ code: Code.INTERNAL, message: `the reply names no ${what}` });
  return value;
}
