/** Reads `google.rpc` details from the trailer of a failed call. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import type { ServiceError } from '@grpc/grpc-js';
import { durationToMs } from '../duration.ts';
import { Code, MusterError } from '../error.ts';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '../gen/google/rpc/error_details_pb.ts';
import type { Status } from '../gen/google/rpc/status_pb.ts';
import { StatusSchema } from '../gen/google/rpc/status_pb.ts';

const TRAILER = 'grpc-status-details-bin';

/** Converts an error of grpc-js to a `MusterError`; unreadable details are left out. */
export function musterError(error: ServiceError): MusterError {
  const status = readStatus(error);
  const info = status && findDetail(status, ErrorInfoSchema);
  const badRequest = status && findDetail(status, BadRequestSchema);
  const retry = status && findDetail(status, RetryInfoSchema);
  return new MusterError({
    code: error.code ?? Code.UNKNOWN,
    message: status?.message || error.details || error.message,
    reason: info?.reason ?? '',
    metadata: info?.metadata ?? {},
    fieldViolations: badRequest?.fieldViolations.map(({ field, description }) => ({ field, description })) ?? [],
    retryDelayMs: retry?.retryDelay && durationToMs(retry.retryDelay, 0),
    cause: error,
  });
}

function readStatus(error: ServiceError): Status | undefined {
  const bytes = error.metadata?.get(TRAILER)[0];
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    return fromBinary(StatusSchema, bytes);
  } catch {
    return undefined;
  }
}

function findDetail<D extends DescMessage>(status: Status, schema: D): MessageShape<D> | undefined {
  for (const detail of status.details) {
    try {
      const message = anyUnpack(detail, schema);
      if (message) return message;
    } catch {
      // The details are broken; code and message are still valid.
    }
  }
  return undefined;
}
