/** Errors with which the kit answers calls, in the contract's form. */
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import { Metadata, status } from '@grpc/grpc-js';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '@muster-jobs/sdk/gen/google/rpc/error_details_pb';
import { StatusSchema } from '@muster-jobs/sdk/gen/google/rpc/status_pb';
import { durationOf } from './durations.ts';

export interface Refusal {
  readonly code: keyof typeof status;
  readonly message: string;
  /** Reason of its ErrorInfo; undefined: no details. */
  readonly reason?: string;
  /** The field in its BadRequest. */
  readonly field?: string;
  /** Milliseconds in its RetryInfo. */
  readonly retryMs?: number;
}

export const leaseLost: Refusal = {
  code: 'FAILED_PRECONDITION',
  reason: 'LEASE_LOST',
  message: 'the session is closed; open a new one',
};

export const unavailable: Refusal = { code: 'UNAVAILABLE', message: 'the replica is going away' };

/** Converts a refusal for grpc-js. */
export function serviceErrorOf(refusal: Refusal): Error {
  const { message } = refusal;
  const code = status[refusal.code];
  const metadata = new Metadata();
  const details = detailsOf(refusal);
  if (details.length > 0) {
    const encoded = toBinary(StatusSchema, create(StatusSchema, { code, message, details }));
    metadata.set('grpc-status-details-bin', Buffer.from(encoded));
  }
  return Object.assign(new Error(message), { code, details: message, metadata });
}

function detailsOf({ reason, field, retryMs, message }: Refusal) {
  const details: Any[] = [];
  const add = <D extends DescMessage>(schema: D, value: MessageInitShape<D>) =>
    details.push(anyPack(schema, create(schema, value)));
  if (reason !== undefined) add(ErrorInfoSchema, { reason, domain: 'muster' });
  if (field !== undefined) add(BadRequestSchema, { fieldViolations: [{ field, description: message }] });
  if (retryMs !== undefined) add(RetryInfoSchema, { retryDelay: durationOf(retryMs) });
  return details;
}
