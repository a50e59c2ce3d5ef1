/** What a worker offers when it opens a session: by it a repeat of the call is told from another one. */
import type { NewSession } from '../ports/sessions.ts';

export type SessionOffer = Omit<NewSession, 'sessionId' | 'leaseMs' | 'requestId'>;

/** Whether both offer the same, in whatever order they name it. What the server makes nothing of is not compared. */
export function isSameOffer(one: SessionOffer, other: SessionOffer): boolean {
  return contentOf(one) === contentOf(other);
}

function contentOf({ namespace, workerName, slots, handlers, labels, resources, sdk }: SessionOffer): string {
  const ranges = handlers.map(({ name, minVersion, maxVersion }) => [name, minVersion, maxVersion]);
  const { name, version, language } = sdk;
  const rest = [sorted(labels), sorted(resources), [name, version, language]];
  return JSON.stringify([namespace, workerName, slots, ranges, ...rest]);
}

function sorted(map: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
}
