/**
 * Credentials of one session: a JWT that lets it listen to its own subject for an hour and do nothing else. Written here
 * and not with `@nats-io/jwt`, whose encoder is asynchronous, because a registration needs it at once.
 */
import { randomUUID } from 'node:crypto';
import type { KeyPair } from '@nats-io/nkeys';
import type { SessionCredentials } from '../engine/ports/ports.ts';
import { createKey } from './keys.ts';
import { sessionSubject } from './subjects.ts';

export interface SessionJwtIssuer {
  /** The account that the sessions belong to (`A…`). */
  readonly accountId: string;
  /** The account's own key, or one of its signing keys. */
  readonly signingKey: KeyPair;
  /** How long a session's JWT is good for, in milliseconds. Default: one hour. */
  readonly lifeMs?: number | undefined;
}

const hourMs = 3_600_000;
const header = encodePart({ typ: 'JWT', alg: 'ed25519-nkey' });

/**
 * A new user key and a JWT for it, good for the session's subject alone.
 *
 * @param nowMs Milliseconds since 1970 on this machine's wall clock, which is the one that the JWT's end is told in.
 */
export function issueSessionJwt(issuer: SessionJwtIssuer, sessionId: string, nowMs: number): SessionCredentials {
  const user = createKey('user');
  const issuedAt = Math.floor(nowMs / 1_000);
  const expiry = issuedAt + Math.floor((issuer.lifeMs ?? hourMs) / 1_000);
  const issuerId = issuer.signingKey.getPublicKey();
  const claims = {
    jti: randomUUID(),
    iat: issuedAt,
    exp: expiry,
    iss: issuerId,
    sub: user.getPublicKey(),
    name: `session ${sessionId}`,
    nats: {
      ...sessionRights(sessionSubject(sessionId)),
      ...(issuerId === issuer.accountId ? {} : { issuer_account: issuer.accountId }),
      type: 'user',
      version: 2,
    },
  };
  const signed = `${header}.${encodePart(claims)}`;
  const signature = Buffer.from(issuer.signingKey.sign(Buffer.from(signed))).toString('base64url');
  return {
    jwt: `${signed}.${signature}`,
    seed: Buffer.from(user.getSeed()).toString(),
    expireTimeMs: expiry * 1_000,
  };
}

/** An empty `allow` beside `deny` leaves nothing to publish on; two subscriptions let a client replace its one. */
function sessionRights(subject: string) {
  return {
    pub: { deny: ['>'] },
    sub: { allow: [subject] },
    subs: 2,
    data: -1,
    payload: 1_024,
    allowed_connection_types: ['STANDARD'],
  };
}

function encodePart(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
