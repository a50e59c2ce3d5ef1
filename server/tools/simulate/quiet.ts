/**
 * Where nothing happens, time is let pass at once. A replica looks after things each second, and a day has many of them; but
 * when its looks have found nothing to do, nothing will be done before a job arrives, ends or falls due.
 */
import type { Deployment } from './deployment.ts';
import { EPOCH_MS } from './sim-postgres.ts';
import type { Workload } from './workload.ts';

/** So many rounds have found nothing. */
const QUIET_MS = 3_500;
/** Less is not worth it. */
const MIN_SKIP_MS = 2_000;
/** What waits for a limit of rate waits for no longer. */
const MAX_WAIT_MS = 86_400_000;

/** What lets jobs that are ready go on as time goes by, apart from their turn. */
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

  /** Skips what may be skipped. Resolves with true when nothing will ever happen again, whatever is still open. */
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
