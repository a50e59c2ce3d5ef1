/**
 * Encodes the engine's messages to a session as SessionMessage bytes, many at a time: each call of `toBinary` costs 4
 * µs before its first field.
 */
import { toBinary } from '@bufbuild/protobuf';
import { type SessionMessage, SessionMessageSchema } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { type Assignment, assignmentBytes, type CancelNotice, type SuspendNotice } from '../engine/base/messages.ts';
import { toAssignmentMessage, toCancelMessage, toSuspendMessage } from '../wire/assignment.ts';

/** Encoded message with these assignments. */
export function encodeAssignments(assignments: readonly Assignment[]): Uint8Array {
  return encode({ assignments: assignments.map(toAssignmentMessage) });
}

/** Encoded message with these cancels. */
export function encodeCancels(notices: readonly CancelNotice[]): Uint8Array {
  return encode({ cancels: notices.map(toCancelMessage) });
}

/** Encoded message with these requests to suspend. */
export function encodeSuspends(notices: readonly SuspendNotice[]): Uint8Array {
  return encode({ suspends: notices.map(toSuspendMessage) });
}

/** Encoded message with this ping. */
export function encodePing(counter: number): Uint8Array {
  return encode({ ping: BigInt(counter) });
}

const empty: Omit<SessionMessage, '$unknown'> = {
  $typeName: 'muster.worker.v1.SessionMessage',
  assignments: [],
  cancels: [],
  ping: 0n,
  suspends: [],
};

function encode(parts: Partial<Omit<SessionMessage, '$typeName' | '$unknown'>>): Uint8Array {
  return toBinary(SessionMessageSchema, { ...empty, ...parts });
}

/**
 * Distributes assignments, in order, over as few messages as the limit allows. An assignment that exceeds the limit
 * gets a message of its own.
 *
 * @param limit Maximum bytes of an encoded message.
 */
export function splitBySize(assignments: readonly Assignment[], limit: number): Assignment[][] {
  const groups: Assignment[][] = [];
  let group: Assignment[] = [];
  let size = 0;
  for (const assignment of assignments) {
    const bytes = assignmentBytes(assignment);
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
