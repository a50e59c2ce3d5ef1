/**
 * Which callers the HTTP port answers. The port has no passwords, and any page that is open in a browser on this
 * machine can send requests to it; the browser identifies the page by two headers that no page can forge.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { cors } from '@connectrpc/connect';
import { ApiError } from '../status.ts';

export interface WebAccess {
  /** Names that callers may use for this port, besides `localhost` and IP addresses. Lower case. */
  readonly hosts: readonly string[];
  /** Origins of foreign pages that may call, such as `https://ops.example.com`. */
  readonly corsOrigins: readonly string[];
}

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i;

/**
 * A page whose own name points at this machine (DNS rebinding) has the same origin as this port, but it can't hide the
 * name: an IP address is always accepted, a name must be one of ours.
 */
function checkHost(host: string, { hosts }: WebAccess): void {
  const name = HOST.exec(host)?.[1]?.toLowerCase() ?? '';
  const address = name.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) > 0 || name === 'localhost' || name.endsWith('.localhost') || hosts.includes(name)) return;
  throw new ApiError(
    'HOST_NOT_ALLOWED',
    'this port is not served under the name in the Host header; start Muster with --http-host NAME to allow it',
  );
}

function isSameOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

/** @throws ApiError if the request comes from a page that may not call. */
export function checkAccess({ host = '', origin }: IncomingHttpHeaders, access: WebAccess): void {
  checkHost(host, access);
  if (origin === undefined || isSameOrigin(origin, host.toLowerCase()) || access.corsOrigins.includes(origin)) return;
  throw new ApiError(
    'ORIGIN_NOT_ALLOWED',
    'pages of this origin may not call this port; start Muster with --cors-origin ORIGIN to allow them',
  );
}

/** Headers with which the browser passes the answer to a foreign page. */
export function corsHeaders({ origin }: IncomingHttpHeaders, access: WebAccess): Record<string, string> {
  if (access.corsOrigins.length === 0) return {};
  if (origin === undefined || !access.corsOrigins.includes(origin)) return { vary: 'Origin' };
  return {
    vary: 'Origin',
    'access-control-allow-origin': origin,
    'access-control-expose-headers': cors.exposedHeaders.join(', '),
  };
}

/** Headers with which the browser sends a request from a foreign page. */
export const preflightHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': [...cors.allowedHeaders, 'traceparent', 'tracestate'].join(', '),
  'access-control-max-age': '7200',
};
