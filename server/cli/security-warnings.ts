/** Security warnings about a control plane's settings: shown at its start, or a reason to refuse it. */
import type { ConfigInput } from '../config.ts';

export interface SecurityWarnings {
  /** Problems with which it does not start, unless the user insists. */
  readonly refused: readonly string[];
  readonly warnings: readonly string[];
}

export interface Given {
  /** The URL of PostgreSQL was typed, not read from a file or the environment. */
  readonly urlTyped: boolean;
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i;

/** The host of a URL; empty for a socket. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}

function isRemote(url: string): boolean {
  const host = hostOf(url);
  return host !== '' && !loopback.test(host);
}

function postgresWarnings(url: string, { urlTyped }: Given): string[] {
  if (!URL.canParse(url)) return [];
  const { password, searchParams } = new URL(url);
  const encrypted = ['require', 'verify-ca', 'verify-full'].includes(searchParams.get('sslmode') ?? '');
  return [
    ...(urlTyped && password !== ''
      ? ['the password of --postgres is visible to everybody on this machine: use --postgres-file or MUSTER_POSTGRES']
      : []),
    ...(isRemote(url) && !encrypted
      ? ['the connection to PostgreSQL is not encrypted: add ?sslmode=verify-full to its URL']
      : []),
  ];
}

function busWarnings(urls: readonly string[]): string[] {
  const plain = urls.filter((url) => isRemote(url) && !url.startsWith('tls://'));
  return plain.length > 0
    ? [`the connection to the message bus is not encrypted (${plain.map(hostOf).join(', ')}): use tls://`]
    : [];
}

/** @param settings As given: nothing in them is changed. */
export function securityWarningsOf(settings: ConfigInput, given: Given): SecurityWarnings {
  const { host = '127.0.0.1', postgresUrl = '', natsUrls = [], natsCredentialsFile } = settings;
  const listens = loopback.test(host)
    ? []
    : [
        `listens on ${host} without authentication or TLS of its own: anyone who reaches the ports may do everything; ` +
          'keep them in a network that you trust, or behind a proxy that does both',
      ];
  const openBus = natsUrls.some(isRemote) && natsCredentialsFile === undefined;
  return {
    refused: openBus
      ? ['the message bus asks for no credentials: anyone who reaches it can read and send messages to workers']
      : [],
    warnings: [...listens, ...postgresWarnings(postgresUrl, given), ...busWarnings(natsUrls)],
  };
}
