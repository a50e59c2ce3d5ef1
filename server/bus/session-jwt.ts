/**
 * Credentials of one session: a JWT that allows listening to its own subject for an hour, and nothing else. Encoded
 * here, because the encoder of `@nats-io/jwt` is asynchronous, and a registration needs it at once.
 */
import { randomUUID } from 'node:crypto';
import type { KeyPair } from '@nats-io/nkeys';
import type { SessionCredentials } from '../engine/ports/ports.ts';
import { createKey } from './keys.ts';
import { sessionSubject } from './subjects.ts';

export interface SessionJwtIssuer {
  /** The account of the sessions (`A…`). */
  readonly accountId: string;
  /** The account's own key, or one of its signing keys. */
  readonly signingKey: KeyPair;
  /** Lifetime of a session's JWT in milliseconds. Default: one hour. */
  readonly lifeMs?: number | undefined;
}

const hourMs = 3_600_000;
const header = encodePart({ typ: 'JWT', alg: 'ed25519-nkey' });

/**
 * A new user key and a JWT for it that is valid for the session's subject only.
 *
 * @param nowMs Milliseconds since 1970, on which the expiry of the JWT is based.
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

/** Publishing is denied entirely; a limit of two subscriptions allows a client to replace its only one. */
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
