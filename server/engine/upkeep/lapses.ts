/** Closes sessions whose lease lapsed, and releases what closing sessions hold. */
import { judgeLapsed } from '../../domain/sessions/lapse.ts';
import type { DbClock } from '../base/db-clock.ts';
import type { Clock, Log } from '../ports/ports.ts';
import type { ClosingSession } from '../ports/sessions.ts';
import type { Store } from '../ports/store.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { Health } from './health.ts';

/** Sessions released at the same time. Each takes a connection. */
const RELEASED_AT_ONCE = 4;
const LOGGED = 20;

export interface LapsesParts {
  readonly store: Pick<Store, 'nowUs' | 'readLapsed' | 'shortenLeases' | 'readClosing'>;
  readonly sessions: Pick<Sessions, 'startClosing' | 'free'>;
  readonly dbClock: DbClock;
  readonly clock: Clock;
  readonly log: Log;
  readonly leaseMs: number;
  /** Max time from one round to the next one. */
  readonly everyMs: number;
  /** Called when sessions began to close. */
  readonly onClosing: () => void;
}

export class Lapses {
  readonly #parts: LapsesParts;
  readonly #health: Health;

  constructor(parts: LapsesParts) {
    this.#parts = parts;
    this.#health = new Health(parts.clock, parts.everyMs, parts.leaseMs);
  }

  /** One round. Resolves with 0 if there are more. */
  async closeLapsed(): Promise<0 | undefined> {
    const { dbClock, store } = this.#parts;
    try {
      await this.#health.ask(() => dbClock.refresh(store));
      // Leases and times that are read now are no evidence; nor are leases that were renewed meanwhile.
      if (!dbClock.isSteady) this.#health.startOver();
      return this.#health.hasLasted() ? await this.#close() : undefined;
    } finally {
      this.#health.rest();
    }
  }

  async #close(): Promise<0 | undefined> {
    const { store, sessions, dbClock, leaseMs, log, onClosing } = this.#parts;
    const { lapsed, lapsedCount, openCount, nowUs, latestLeaseUs } = await store.readLapsed(dbClock.nowUs());
    if (latestLeaseUs !== undefined) await this.#shorten(latestLeaseUs);
    if (lapsed.length === 0) return undefined;
    const { close, massLapse } = judgeLapsed(lapsed, { lapsedCount, openCount, nowUs, leaseUs: leaseMs * 1000 });
    if (massLapse)
      log.error(
        { lapsed: lapsedCount, open: openCount },
        'so many sessions lapsed at once that the control plane must be at fault; their jobs are not charged',
      );
    if (close.length === 0) return undefined;
    const closed = await sessions.startClosing(close, massLapse ? 'MASS_LAPSE' : 'LAPSE', massLapse ? leaseMs : 0);
    if (closed.length === 0) return undefined;
    onClosing();
    log.warn({ sessions: closed.slice(0, LOGGED), count: closed.length }, 'sessions lapsed; what they held goes back');
    return lapsedCount > lapsed.length ? 0 : undefined;
  }

  /** A lease that was written while the database's clock was ahead would hide a dead worker. */
  async #shorten(latestLeaseUs: number): Promise<void> {
    const { store, dbClock, leaseMs, log } = this.#parts;
    if (latestLeaseUs <= dbClock.nowUs() + 2 * leaseMs * 1000) return;
    const shortened = await store.shortenLeases(leaseMs, dbClock.nowUs());
    if (shortened.length === 0) return;
    log.warn(
      { sessions: shortened.slice(0, LOGGED), count: shortened.length },
      'leases ended too late, because the clock of the database was ahead; they were shortened',
    );
  }

  /** One round. Resolves with 0 if there are more. */
  async freeClosing(): Promise<0 | undefined> {
    const { store, sessions } = this.#parts;
    const { closing, hasMore } = await store.readClosing();
    const left: ClosingSession[] = [...closing];
    const freeSome = async () => {
      for (let next = left.shift(); next; next = left.shift()) await sessions.free(next.sessionId, next.how);
    };
    const ends = await Promise.allSettled(Array.from({ length: RELEASED_AT_ONCE }, freeSome));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return hasMore ? 0 : undefined;
  }
}
