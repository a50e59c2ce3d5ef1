/** What holds ready jobs back, in the words that jobs, lists and explanations share. */
import type { Capacity, RateLimit } from '../dispatch/limits.ts';

/** A time as people read it, in UTC and to the second. */
export function momentText(us: number): string {
  return `${new Date(Math.floor(us / 1_000)).toISOString().slice(0, 19)}Z`;
}

export function queuePausedText(queue: string, reason: string): string {
  return `queue ${queue} is paused${reason === '' ? '' : `: ${reason}`}`;
}

/** `next` is what becomes of it: when a probe is made, or which job is the probe. */
export function breakerText(breaker: string, next: string): string {
  return `held back: circuit breaker ${breaker} is open; ${next}`;
}

/** `what` is a queue or a definition with its name. */
export function concurrencyText(what: string, { held, maxConcurrency }: Capacity): string {
  return `${what} is at its limit: workers hold ${held} of its jobs, and may hold ${maxConcurrency}`;
}

/** Of a key that is at one of its two limits, whichever it is. */
export function keyText(
  definition: string,
  { maxConcurrency, rateLimit }: Pick<Partial<Capacity>, 'maxConcurrency' | 'rateLimit'>,
): string {
  const bounds = [
    maxConcurrency === undefined ? [] : `${maxConcurrency} at once`,
    rateLimit ? rateText(rateLimit) : [],
  ].flat();
  return `its key is at the limit of definition ${definition}: ${bounds.join(', ') || 'it goes on soon'}`;
}

export function rateText({ units, periodMs }: RateLimit): string {
  return `${units} each ${periodMs / 1_000} s`;
}
