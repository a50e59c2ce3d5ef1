/**
 * Cuts timeouts in the headers of HTTP calls to the maximum of a timer: Connect passes longer ones to a timer, which
 * then fires at once.
 */

/** 24 days, in milliseconds. */
const MAX_MS = 2 ** 31 - 1;
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** An invalid timeout stays, for Connect to refuse. */
export function boundTimeouts(headers: Headers): void {
  const ms = headers.get('connect-timeout-ms') ?? '';
  if (/^\d{1,10}$/.test(ms) && Number(ms) > MAX_MS) headers.set('connect-timeout-ms', String(MAX_MS));
  const [, amount, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(headers.get('grpc-timeout') ?? '') ?? [];
  const most = Math.floor(MAX_MS / (unitMs[unit] ?? 1));
  if (Number(amount) > most) headers.set('grpc-timeout', `${most}${unit}`);
}
