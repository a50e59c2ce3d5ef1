/** Sessions: OPEN, CLOSING, CLOSED, never back; closed by lapse only after the lease; a lease only grows. */
import type { Evidence, Ordered } from '../base/events.ts';
import { lapseLateness } from '../base/promptness.ts';

export interface SessionLife {
  readonly openedAt: number;
  /** Positions of CLOSING and of CLOSED in the merged order. */
  closing: number;
  closed: number;
  state: number;
  /** Why it was closed: 1 lapse, 2 close, 3 mass lapse. */
  cause: number | undefined;
  leaseUntil: number;
  beats: number;
}

const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const causes: Readonly<Record<number, string>> = { 1: 'lapse', 2: 'close', 3: 'mass lapse' };

export class SessionChecks {
  readonly lives = new Map<string, SessionLife>();
  readonly #evidence: Evidence;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  take(row: Ordered): void {
    const { history } = this.#evidence;
    const life = this.lives.get(row.id);
    if (!life) {
      this.lives.set(row.id, {
        openedAt: row.order,
        closing: Infinity,
        closed: Infinity,
        state: OPEN,
        cause: undefined,
        leaseUntil: row.until ?? 0,
        beats: 0,
      });
      if (row.from !== null || row.to !== OPEN)
        history.violate('I3 legal path', `session ${row.id} began in state ${row.to}`);
      return;
    }
    if (row.from !== life.state)
      history.violate('I3 legal path', `session ${row.id} was ${life.state}, the journal says ${row.from}`);
    if (row.to !== row.from) this.#moved(row, life);
    else if (row.to !== OPEN) history.violate('I7 fencing', `session ${row.id} was changed in state ${row.to}`);
    // One that was written while the clock was ahead may be corrected.
    const isExcessive = life.leaseUntil > row.at + 2 * this.#evidence.leaseMs * 1000;
    if ((row.until ?? 0) < life.leaseUntil && !isExcessive)
      history.violate('I6 leases', `the lease of session ${row.id} became shorter`);
    life.leaseUntil = row.until ?? 0;
    life.beats = row.attempt ?? 0;
    life.state = row.to ?? 0;
  }

  #moved(row: Ordered, life: SessionLife): void {
    const { history, leaseMs } = this.#evidence;
    if (row.from === OPEN && row.to === CLOSING) {
      const cause = causes[row.cause ?? 0] ?? 'nothing';
      history.count(`session closed by ${cause}`);
      life.closing = row.order;
      life.cause = row.cause ?? undefined;
      const spare = cause === 'mass lapse' ? leaseMs * 1000 : 0;
      if (cause !== 'close' && (row.until ?? 0) + spare > row.at) {
        history.violate(
          'I6 leases',
          `session ${row.id} was closed by ${cause} ${((row.until ?? 0) + spare - row.at) / 1000} ms too early`,
        );
      }
      if (cause !== 'close') this.#notePromptness(row, (row.until ?? 0) + spare);
    } else if (row.from === CLOSING && row.to === CLOSED) life.closed = row.order;
    else history.violate('I3 legal path', `session ${row.id} went from ${row.from} to ${row.to}`);
  }

  #notePromptness(row: Ordered, lapseUs: number): void {
    const { history } = this.#evidence;
    const { lateUs, isSure } = lapseLateness(this.#evidence, row, lapseUs);
    if (isSure) history.count('a session lapsed after the recovery');
    if (lateUs > 0) history.violate('I6 leases', `session ${row.id} was closed ${lateUs / 1000} ms too late`);
  }
}
