/**
 * The credentials of a session: its own if the account's signing key is available, else those that all sessions share.
 */
import type { SessionCredentials } from '../engine/ports/ports.ts';
import { issueSessionJwt, type SessionJwtIssuer } from './session-jwt.ts';

/** Creates credentials for one session, synchronously. */
export type SessionAccessRule = (sessionId: string) => SessionCredentials;

/** Each session gets credentials for its own subject only, dated by this clock: milliseconds since 1970. */
export function ownAccess(issuer: SessionJwtIssuer, nowMs: () => number): SessionAccessRule {
  return (sessionId) => issueSessionJwt(issuer, sessionId, nowMs());
}

/** All sessions get the same credentials; none if the bus asks for none. */
export function sharedAccess(credentials: () => SessionCredentials | undefined): SessionAccessRule {
  return () => {
    const { jwt, seed, expireTimeMs } = credentials() ?? { jwt: '', seed: '', expireTimeMs: 0 };
    return { jwt, seed, expireTimeMs };
  };
}
