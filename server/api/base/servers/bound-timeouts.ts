/**
 * Cuts timeouts in the headers of calls to the maximum of a timer: Connect and grpc-js pass longer ones to a timer, which
 * then fires at once.
 */

/** 24 days, in milliseconds. */
const MAX_MS = 2 ** 31 - 1;
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** An invalid timeout stays, for the library to refuse. */
export function boundTimeouts(headers: Record<string, unknown>): void {
  const ms = String(headers['connect-timeout-ms'] ?? '');
  if (/^\d{1,10}$/.test(ms) && Number(ms) > MAX_MS) headers['connect-timeout-ms'] = String(MAX_MS);
  const [, amount, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(String(headers['grpc-timeout'] ?? '')) ?? [];
  const most = Math.floor(MAX_MS / (unitMs[unit] ?? 1));
  if (Number(amount) > most) headers['grpc-timeout'] = `${most}${unit}`;
}
