/** The offer with which a worker opens a session; distinguishes a repeat of the call from another one. */
import type { NewSession } from '../ports/sessions.ts';

export type SessionOffer = Omit<NewSession, 'sessionId' | 'nowUs' | 'leaseMs' | 'requestId'>;

/** Whether both offers are the same, in any order. Parts that the server ignores are not compared. */
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
