/** Refusals of a call, told in the terms of what the caller wrote. */
import { MusterError } from '@muster/sdk/grpc';

/** The same error, its fields under other names. */
export function renameFields(error: MusterError, rename: (field: string) => string): MusterError {
  const { code, message, reason, metadata, retryDelayMs } = error;
  const fieldViolations = error.fieldViolations.map(({ field, description }) => ({
    field: rename(field),
    description,
  }));
  return new MusterError({ code, message, reason, metadata, retryDelayMs, fieldViolations, cause: error });
}
