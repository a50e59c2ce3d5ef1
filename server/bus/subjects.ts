/** Names of the subjects on the bus; every one of them lies under `muster.v1.`. */

const canonicalUuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Carries what replicas tell each other. */
export const hintsSubject = 'muster.v1.replica.hints';

/**
 * The one subject that a session may listen to; it carries SessionMessage.
 *
 * @throws RangeError when the id is not a UUID in canonical text: a wildcard in it would open other sessions' subjects.
 */
export function sessionSubject(sessionId: string): string {
  if (!canonicalUuid.test(sessionId)) throw new RangeError('session id is not a UUID in canonical text');
  return `muster.v1.session.${sessionId}`;
}

/** JetStream's stream of what is published under `eventsSubject`. */
export const eventStreamName = 'muster-events';

/** Where a namespace's events go; `*`: those of all namespaces. A namespace's name has no dot. */
export function eventsSubject(namespace: string): string {
  return `muster.v1.events.${namespace}`;
}

/** Where a replica sends pings to itself. */
export function loopbackSubject(replicaId: string): string {
  return `muster.v1.replica.${replicaId}.loopback`;
}
