/** The handler that every worker of the Node runtime runs, and what it tells the bench. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Work } from '../../contract.ts';
import type { Handler } from './adapter.ts';
import { now, say } from './lines.ts';

/** How often it tells, in milliseconds: seldom enough to cost nothing, often enough to say when all is done. */
const REPORT_MS = 10;

/** Resolves once the job is told to stop; without a signal it is never told. */
function hold(signal: AbortSignal | undefined): Promise<void> {
  say({ event: 'started', time: now() });
  return new Promise((resolve) => {
    signal?.addEventListener('abort', () => {
      say({ event: 'stopped', time: now() });
      resolve();
    });
  });
}

/** Starts telling how many jobs have been handled; the handler is for the peer's worker. */
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
