/** The handler that every worker of the Node runtime runs, and its reports to the benchmark. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Work } from '../../contract.ts';
import type { Handler } from './adapter.ts';
import { now, say } from './lines.ts';

/** Interval of the reports, in ms: long enough to cost nothing, short enough to show when all is done. */
const REPORT_MS = 10;

/** Resolves once the job is asked to stop; without a signal, never. */
function hold(signal: AbortSignal | undefined): Promise<void> {
  say({ event: 'started', time: now() });
  return new Promise((resolve) => {
    signal?.addEventListener('abort', () => {
      say({ event: 'stopped', time: now() });
      resolve();
    });
  });
}

/** Starts the reports of the number of handled jobs. Returns the handler for the peer's worker. */
export function countingHandler(): Handler {
  let handled = 0;
  let reported = 0;
  let waits: number[] = [];
  setInterval(() => {
    if (waits.length > 0) say({ event: 'waits', waits });
    waits = [];
    if (handled !== reported) say({ event: 'handled', handled });
    reported = handled;
  }, REPORT_MS);
  const slow = async (work: Work, signal: AbortSignal | undefined) => {
    await (work.kind === 'hold' ? hold(signal) : delay(work.ms));
    handled++;
  };
  return (work, signal) => {
    if (work.kind === 'hold' || work.kind === 'sleep') return slow(work, signal);
    if (work.kind === 'clock') waits.push(now() - work.sent);
    handled++;
    return undefined;
  };
}
