/** Names of the subjects on the bus; all begin with `muster.v1.`. */

const canonicalUuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Hints between replicas. */
export const hintsSubject = 'muster.v1.replica.hints';

/**
 * The only subject that a session may listen to; it carries SessionMessage.
 *
 * @throws RangeError if the id is not a UUID in canonical text: a wildcard in it would open other sessions' subjects.
 */
export function sessionSubject(sessionId: string): string {
  if (!canonicalUuid.test(sessionId)) throw new RangeError('session id is not a UUID in canonical text');
  return `muster.v1.session.${sessionId}`;
}

/** JetStream's stream of the messages under `eventsSubject`. */
export const eventStreamName = 'muster-events';

/** Subject of a namespace's events; `*`: those of all namespaces. A namespace's name contains no dot. */
export function eventsSubject(namespace: string): string {
  return `muster.v1.events.${namespace}`;
}

/** Subject of a replica's pings to itself. */
export function loopbackSubject(replicaId: string): string {
  return `muster.v1.replica.${replicaId}.loopback`;
}
