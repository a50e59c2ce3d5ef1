/** Which credentials a session gets: its own where the account's signing key is at hand, else those that all share. */
import type { SessionCredentials } from '../engine/ports/ports.ts';
import { issueSessionJwt, type SessionJwtIssuer } from './session-jwt.ts';

/** Credentials for one session, made on the spot. */
export type SessionAccessRule = (sessionId: string) => SessionCredentials;

/** Each session gets credentials for its own subject alone. */
export function ownAccess(issuer: SessionJwtIssuer): SessionAccessRule {
  return (sessionId) => issueSessionJwt(issuer, sessionId, Date.now());
}

/** All sessions get the same; none when the bus asks for none. */
export function sharedAccess(credentials: () => SessionCredentials | undefined): SessionAccessRule {
  return () => {
    const { jwt, seed, expireTimeMs } = credentials() ?? { jwt: '', seed: '', expireTimeMs: 0 };
    return { jwt, seed, expireTimeMs };
  };
}
