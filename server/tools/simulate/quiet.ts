/**
 * Skips time in which nothing happens. A replica polls every second; but once its polls have found nothing, nothing
 * will happen before a job arrives, ends or falls due.
 */
import type { Deployment } from './deployment.ts';
import { EPOCH_MS } from './sim-postgres.ts';
import type { Workload } from './workload.ts';

/** Several polling rounds have found nothing. */
const QUIET_MS = 3_500;
/** Shorter skips are not worth the effort. */
const MIN_SKIP_MS = 2_000;
/** Maximum wait for a rate limit. */
const MAX_WAIT_MS = 86_400_000;

/** What can start ready jobs when time passes, other than their turn. */
export interface Waits {
  readonly rates: boolean;
  readonly breakers: boolean;
}

export class Quiet {
  readonly #deployment: Deployment;
  readonly #workload: Workload;
  readonly #waits: Waits;

  constructor(deployment: Deployment, workload: Workload, waits: Waits) {
    this.#deployment = deployment;
    this.#workload = workload;
    this.#waits = waits;
  }

  /** Skips time if possible. Resolves with true if nothing will ever happen again, even if jobs are open. */
  async isQuiet(): Promise<boolean> {
    const { world, clock, recorder, workers, nextDueUs } = this.#deployment;
    if (world.now - recorder.lastMs < QUIET_MS) return false;
    const dueUs = await nextDueUs();
    const dueMs = dueUs === undefined ? Number.POSITIVE_INFINITY : dueUs / 1000 - EPOCH_MS;
    const nextMs = Math.min(this.#workload.nextMs, dueMs, ...workers.map(({ nextEndMs }) => nextEndMs));
    const waitsForTime = recorder.anyWaiting && (this.#waits.rates || this.#waits.breakers);
    if (nextMs === Number.POSITIVE_INFINITY && !waitsForTime) return true;
    if (nextMs === Number.POSITIVE_INFINITY && world.now - recorder.lastMs > MAX_WAIT_MS) return true;
    if (waitsForTime && (this.#waits.breakers || world.now - clock.lastLongMs < QUIET_MS)) return false;
    const toMs = waitsForTime ? Math.min(nextMs, clock.nextLongMs) : nextMs;
    if (toMs - world.now >= MIN_SKIP_MS) world.skipTo(toMs);
    return false;
  }
}
