/** Translates refusals of a call into the terms of the user's input. */
import { MusterError } from '@muster-jobs/sdk/grpc';

/** The same error with renamed fields. */
export function renameFields(error: MusterError, rename: (field: string) => string): MusterError {
  const { code, message, reason, metadata, retryDelayMs } = error;
  const fieldViolations = error.fieldViolations.map(({ field, description }) => ({
    field: rename(field),
    description,
  }));
  return new MusterError({ code, message, reason, metadata, retryDelayMs, fieldViolations, cause: error });
}
