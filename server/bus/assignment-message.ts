/**
 * Encodes what the engine hands to a session as SessionMessage bytes, many at a time: each call of `toBinary` costs 4 µs
 * before its first field.
 */
import { toBinary } from '@bufbuild/protobuf';
import {
  type Assignment as AssignmentMessage,
  type CancelNotice as CancelNoticeMessage,
  SessionMessageSchema,
} from '@muster/sdk/gen/muster/v1/assignment_pb';
import type { Payload } from '../domain/base/payload.ts';
import type { Assignment, CancelNotice } from '../engine/base/messages.ts';
import { toAssignmentMessage, toCancelMessage } from '../wire/assignment.ts';

/** More than all numbers, tags and lengths of an assignment and its parts take. */
const fixedBytes = 160;

/** Encoded message with these assignments. */
export function encodeAssignments(assignments: readonly Assignment[]): Uint8Array {
  return encode(assignments.map(toAssignmentMessage), [], 0n);
}

/** Encoded message with these cancels. */
export function encodeCancels(notices: readonly CancelNotice[]): Uint8Array {
  return encode([], notices.map(toCancelMessage), 0n);
}

/** Encoded message with this ping. */
export function encodePing(counter: number): Uint8Array {
  return encode([], [], BigInt(counter));
}

function encode(assignments: AssignmentMessage[], cancels: CancelNoticeMessage[], ping: bigint): Uint8Array {
  return toBinary(SessionMessageSchema, { $typeName: 'muster.v1.SessionMessage', assignments, cancels, ping });
}

/**
 * Shares assignments out, in their order, over as few messages as their size allows. One that is larger than the limit by
 * itself gets a message of its own.
 *
 * @param limit Most bytes of an encoded message.
 */
export function splitBySize(assignments: readonly Assignment[], limit: number): Assignment[][] {
  const groups: Assignment[][] = [];
  let group: Assignment[] = [];
  let size = 0;
  for (const assignment of assignments) {
    const bytes = boundSize(assignment);
    if (size + bytes > limit && group.length > 0) {
      groups.push(group);
      group = [];
      size = 0;
    }
    group.push(assignment);
    size += bytes;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

/** Bytes that an assignment takes in its message at most; at most 160 too many, so that nothing is encoded twice. */
function boundSize(assignment: Assignment): number {
  return (
    fixedBytes +
    Buffer.byteLength(assignment.handler) +
    Buffer.byteLength(assignment.definition) +
    Buffer.byteLength(assignment.namespace) +
    Buffer.byteLength(assignment.traceparent) +
    Buffer.byteLength(assignment.tracestate) +
    boundPayload(assignment.input) +
    (assignment.checkpoint ? boundPayload(assignment.checkpoint) : 0)
  );
}

function boundPayload(payload: Payload): number {
  let bytes = payload.data.length + Buffer.byteLength(payload.contentType);
  // An entry has a tag and a length of its own, and so have its key and its value: at most 12 bytes together.
  for (const key in payload.metadata) {
    bytes += 12 + Buffer.byteLength(key) + Buffer.byteLength(payload.metadata[key] as string);
  }
  return bytes;
}
