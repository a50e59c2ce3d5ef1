/** Checks of the server: both ports, its release, its parts, and its clock. */
import { type Finding, finding } from './finding.ts';

const ANSWER_MS = 5_000;
/** Leases don't depend on clocks, but times that users type do. */
const CLOCK_MS = 5_000;
/** Seven days are made ahead. */
const MIN_DAYS_AHEAD = 4;

const noEvents = 'the NATS server has no JetStream: events are dropped after ten minutes without being published';

interface Health {
  readonly version?: string;
  readonly protocolVersion?: number;
}

interface Readiness {
  readonly database?: boolean;
  readonly bus?: boolean;
  readonly events?: boolean;
  readonly time?: string;
  readonly daysAhead?: number;
}

/** The HTTP port that belongs to a gRPC port by default; undefined if the address has no host and port. */
export function usualHttpUrl(server: string): string | undefined {
  const found = /^(?:dns:(?:\/\/[^/]*)?\/?)?([^/]+):(\d+)$/.exec(server);
  if (!found || /^(unix|ipv4|ipv6):/.test(server)) return undefined;
  return `http://${found[1]}:${Number(found[2]) + 10}`;
}

async function ask<T>(url: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]) });
  return (await response.json()) as T;
}

function whyOf(error: unknown): string {
  const { cause, message } = error as Error;
  return (cause as Error | undefined)?.message || message;
}

/** Checks that need only the HTTP port. */
export async function checkHttp(url: string, release: string, signal: AbortSignal): Promise<Finding[]> {
  try {
    const health = await ask<Health>(new URL('/healthz', url).href, signal);
    const before = Date.now();
    const ready = await ask<Readiness>(new URL('/readyz', url).href, signal);
    const middle = (before + Date.now()) / 2;
    return [
      checkRelease(health, release, url),
      ...checkParts(ready),
      ...checkDays(ready),
      ...checkClock(ready, middle),
    ];
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const next = '--http URL names the HTTP port, such as http://muster.example.com:7080';
    return [finding('http', 'WARNING', `the HTTP port does not answer at ${url}: ${whyOf(error)}`, next)];
  }
}

function checkRelease({ version, protocolVersion }: Health, release: string, url: string): Finding {
  if (version === undefined) {
    return finding('http', 'WARNING', `${url} is no Muster`, '--http URL names the HTTP port of the server');
  }
  const what = `release ${version}, protocol ${protocolVersion}`;
  if (version === release) return finding('release', 'OK', what);
  return finding(
    'release',
    'WARNING',
    `the server is of ${what}, this command of release ${release}`,
    'use the command of the same release: another one may use calls that the server does not know',
  );
}

function checkParts({ database, bus, events }: Readiness): Finding[] {
  return [
    database
      ? finding('database', 'OK', 'it answers')
      : finding('database', 'ERROR', 'it does not answer the server', 'repair PostgreSQL; see the log of the server'),
    bus
      ? finding('bus', 'OK', 'it carries messages')
      : finding(
          'bus',
          'ERROR',
          'it carries no messages',
          'repair NATS; meanwhile jobs run, assigned by heartbeats, and events wait',
        ),
    ...(events === false
      ? [finding('events', 'WARNING', noEvents, 'enable JetStream on the NATS server: docs/events.md')]
      : []),
  ];
}

/** A server of an earlier release does not know them. */
export function checkDays({ daysAhead }: Readiness): Finding[] {
  if (daysAhead === undefined || daysAhead >= MIN_DAYS_AHEAD) return [];
  const next =
    'end the transaction that has been open for longest, such as a dump or an idle session (pg_stat_activity); ' +
    'the log of the server has the reason';
  return [finding('partitions', 'WARNING', `made for ${daysAhead} of the next 7 days`, next)];
}

function checkClock({ time }: Readiness, nowMs: number): Finding[] {
  if (time === undefined) return [];
  const ms = nowMs - Date.parse(time);
  const seconds = Math.round(Math.abs(ms) / 1_000);
  if (Math.abs(ms) < CLOCK_MS) return [finding('clock', 'OK', "this machine's agrees with the database's")];
  const next = 'set it by NTP: leases do not depend on it, but times that you type do, as in --since';
  return [
    finding(
      'clock',
      'WARNING',
      `this machine's is ${seconds} s ${ms > 0 ? 'ahead of' : 'behind'} the database's`,
      next,
    ),
  ];
}
