/** Converts a failed call to a `MusterError`, with the `google.rpc` details that the server sent. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { durationToMs } from '../duration.ts';
import { MusterError } from '../error.ts';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '../gen/google/rpc/error_details_pb.ts';

export interface FailedCall {
  readonly code: number;
  readonly message: string;
  /** The detail of this type, if there is a readable one. */
  readonly find: <D extends DescMessage>(schema: D) => MessageShape<D> | undefined;
  readonly cause: unknown;
}

export function errorWithDetails({ code, message, find, cause }: FailedCall): MusterError {
  const info = find(ErrorInfoSchema);
  const retry = find(RetryInfoSchema);
  const violations = find(BadRequestSchema)?.fieldViolations ?? [];
  return new MusterError({
    code,
    message,
    reason: info?.reason ?? '',
    metadata: info?.metadata ?? {},
    fieldViolations: violations.map(({ field, description }) => ({ field, description })),
    retryDelayMs: retry?.retryDelay && durationToMs(retry.retryDelay, 0),
    cause,
  });
}
