/** Reads the status of a failed gRPC call from its trailer. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import type { ServiceError } from '@grpc/grpc-js';
import type { MusterError } from '../error.ts';
import { Code } from '../error.ts';
import type { Status } from '../gen/google/rpc/status_pb.ts';
import { StatusSchema } from '../gen/google/rpc/status_pb.ts';
import { errorWithDetails } from './error-details.ts';

const TRAILER = 'grpc-status-details-bin';

/** Converts an error of grpc-js to a `MusterError`; unreadable details are left out. */
export function musterError(error: ServiceError): MusterError {
  const status = readStatus(error);
  return errorWithDetails({
    code: error.code ?? Code.UNKNOWN,
    message: status?.message || error.details || error.message,
    find: (schema) => status && findDetail(status, schema),
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
