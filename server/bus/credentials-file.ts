/** A `.creds` file of an external bus. It is read again for each connection, so that it may be renewed at run time. */
import { readFileSync } from 'node:fs';
import type { ClaimsData, User } from '@nats-io/jwt';
import type { SessionCredentials } from '../engine/ports/ports.ts';

const sections = /-{3,} *BEGIN [^\n]*-{3,}\s+(\S+)\s+-{3,} *END [^\n]*-{3,}/g;

export interface FileCredentials extends SessionCredentials {
  /** The account of the user (`A…`). */
  readonly accountId: string;
}

export class CredentialsFile {
  readonly #path: string;
  #current: FileCredentials;

  /** @throws Error if the file can't be read or is not a credentials file; the message does not repeat its content. */
  constructor(path: string) {
    this.#path = path;
    this.#current = readCredentials(path);
  }

  get current(): FileCredentials {
    return this.#current;
  }

  /** The current content of the file, or the last valid content if it can't be read. Never throws. */
  readAgain(): FileCredentials {
    try {
      this.#current = readCredentials(this.#path);
    } catch {
      // A file that is being replaced may be missing or incomplete for a moment; the old credentials may still be
      // valid.
    }
    return this.#current;
  }
}

function readCredentials(path: string): FileCredentials {
  const [jwt, seed] = Array.from(readFileSync(path, 'utf8').matchAll(sections), (match) => match[1]);
  const claims = jwt && readClaims(jwt);
  if (!claims || !seed) throw new Error(`${path} is not a NATS credentials file`);
  const accountId = claims.nats?.issuer_account ?? claims.iss;
  return { jwt, seed, accountId, expireTimeMs: (claims.exp ?? 0) * 1_000 };
}

/** The unverified claims: the server verifies them. */
function readClaims(jwt: string): ClaimsData<User> | undefined {
  try {
    return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
  } catch {
    return undefined;
  }
}
