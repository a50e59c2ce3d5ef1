/** Why ready jobs are held back, in the words that jobs, lists and explanations share. */
import type { Capacity, RateLimit } from '../dispatch/limits.ts';

/** A time for display, in UTC and to the second. */
export function momentText(us: number): string {
  return `${new Date(Math.floor(us / 1_000)).toISOString().slice(0, 19)}Z`;
}

export function queuePausedText(queue: string, reason: string): string {
  return `queue ${queue} is paused${reason === '' ? '' : `: ${reason}`}`;
}

/** `next`: what follows, such as when a probe is made or which job is the probe. */
export function breakerText(breaker: string, next: string): string {
  return `held back: circuit breaker ${breaker} is open; ${next}`;
}

/** `what`: a queue or a definition with its name. */
export function concurrencyText(what: string, { held, maxConcurrency }: Capacity): string {
  return `${what} is at its limit: workers hold ${held} of its jobs, and may hold ${maxConcurrency}`;
}

/** For a key that is at either of its two limits. */
export function keyText(
  definition: string,
  { maxConcurrency, rateLimit }: Pick<Partial<Capacity>, 'maxConcurrency' | 'rateLimit'>,
): string {
  const bounds = [
    maxConcurrency === undefined ? [] : `${maxConcurrency} at once`,
    rateLimit ? rateText(rateLimit) : [],
  ].flat();
  return `its key is at the limit of definition ${definition}: ${bounds.join(', ') || 'it continues soon'}`;
}

export function rateText({ units, periodMs }: RateLimit): string {
  return `${units} each ${periodMs / 1_000} s`;
}
