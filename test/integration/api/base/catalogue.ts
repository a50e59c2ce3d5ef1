/**
 * The bad-input catalogue: for each row and port, the tests that show it, or the reason why it can not occur. A row is
 * shown by `requests` (bad-requests/), by `fields` (mutations/), or by a test file with the row in a title.
 */

/** Where it is shown, for each port; `undefined` on a port where it can not occur, which `why` explains. */
export interface Row {
  readonly what: string;
  readonly grpc?: string;
  readonly http?: string;
  /** The RPC of a later release that the row is about: there is nothing to show before it is served. */
  readonly until?: string;
  /** Why a port, or both, show nothing. */
  readonly why?: string;
}

const WIRE = 'wire.test.ts';
const WEB = 'http-wire.test.ts';
const TAKEN = 'taken.test.ts';
const both = (what: string, shown: string): Row => ({ what, grpc: shown, http: shown });
const wire = (what: string): Row => ({ what, grpc: WIRE, http: WEB });
/** Workers speak gRPC alone. */
const workers = (what: string, grpc: string): Row => ({ what, grpc, why: 'SessionService is not served over HTTP' });
const later = (what: string, why: string): Row => ({ what, why });

const auth = 'this release has no credentials, tenants apart from namespaces, or quotas';

export const catalogue: Readonly<Record<string, Row>> = {
  B1: wire('undecodable messages, nesting'),
  B2: wire('no message, two messages, cut frames'),
  B3: wire('over 4 MiB, gzip bombs'),
  B4: wire('unknown compression, corrupt gzip'),
  B5: wire('unknown service or method'),
  B6: wire('content types that are none of ours'),
  B8: wire('timeouts that can not be read'),
  B9: wire('deadlines that have passed'),
  B10: wire('invalid UTF-8, truncation, wrong wire types'),
  B11: both('NUL and controls in text', 'requests'),
  B12: both('unknown enums', 'requests'),
  B13: later('no, expired, malformed, revoked credentials', auth),
  B14: later('missing scope', auth),
  B15: both("another namespace's things", 'requests'),
  B16: later('over quota', auth),
  B17: both('negative spans, spans of two signs', 'requests'),
  B18: both('spans that are too long or zero', 'requests'),
  B19: both('doubles that are no sensible number', 'requests'),
  B20: both('max_attempts out of range', 'requests'),
  B21: both('priority, slots, limits out of range', 'requests'),
  B23: both('a run time after the expiry', 'requests'),
  B24: both('names empty, long, uppercase', 'requests'),
  B25: both('names with stars, spaces, line ends', 'requests'),
  B26: both('names that are paths or devices', 'requests'),
  B28: both('text of 5,000 characters', 'requests'),
  B29: both('reserved prefixes', 'requests'),
  B30: { ...both('a name that is taken', 'requests'), until: 'CreateQueue' },
  B31: both('the same key with the same content', TAKEN),
  B32: both('the same key with other content', 'requests'),
  B33: both('labels', 'requests'),
  B34: both('payloads over 512 KiB', 'requests'),
  B35: both('payloads of any bytes', TAKEN),
  B37: both('ids that are none', 'requests'),
  B38: both('field masks', 'fields'),
  B39: { ...both('stale etags', 'requests'), until: 'UpdateQueue' },
  B40: both('text that means something to others', TAKEN),
  B42: both('page sizes', 'requests'),
  B43: both('page tokens', 'requests'),
  B45: later('order_by', 'no list has it: each has one order'),
  B46: both('cycles', 'requests'),
  B47: both('missing and double nodes', 'requests'),
  B48: both('too many nodes', 'requests'),
  B50: both('expressions', 'requests'),
  B51: both('workflows in workflows', 'requests'),
  B52: both('empty cron expressions', 'requests'),
  B53: both('cron expressions of six fields', 'requests'),
  B54: both('cron expressions that never fire', 'requests'),
  B55: both('leap days', TAKEN),
  B57: both('long cron expressions', 'requests'),
  B58: both('time zones', 'requests'),
  B59: both('intervals', 'requests'),
  B61: workers('stale attempts, closed sessions', 'requests'),
  B62: workers('a report again', '../sessions/reports.test.ts'),
  B63: workers("reports of unknown and of others' jobs", '../sessions/reports.test.ts'),
  B64: workers('results, progress and errors that are too large', 'requests'),
  B65: both('cancelling what is unknown or has ended', 'requests'),
  B67: { ...both('deleting a queue that is not empty, or twice', 'requests'), until: 'DeleteQueue' },
  B69: workers('a worker name in use', '../sessions/sessions.test.ts'),
  B70: workers('protocol versions', 'requests'),
  B71: workers('too many heartbeats', '../sessions/sessions.test.ts'),
  B72: both('batches', 'requests'),
  B73: both('no database, unknown outcomes, no room', 'store-faults.test.ts'),
};
