/** Rate limits for calls of workers: registrations per second and replica, heartbeats per second and session. */
import { EngineError } from '../../engine/base/errors.ts';
import type { Clock } from '../../engine/ports/ports.ts';

const OPENS_PER_SECOND = 50;
const BEATS_PER_SECOND = 20;
const SESSIONS_KEPT = 50_000;

/** Counts per whole second; cheap, and off by a factor of two at worst. */
class Window {
  readonly #clock: Clock;
  #second = 0;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(limit: number): boolean {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
    }
    return ++this.#count <= limit;
  }
}

/** Heartbeats have precedence: registrations beyond the limit are refused with a retry hint. */
export class OpenLimiter {
  readonly #window: Window;

  constructor(clock: Clock) {
    this.#window = new Window(clock);
  }

  take(): void {
    if (this.#window.take(OPENS_PER_SECOND)) return;
    throw new EngineError(
      'OVERLOADED',
      `more than ${OPENS_PER_SECOND} sessions a second are being opened here; try again`,
      { retryAfterMs: 1_000 },
    );
  }
}

export class BeatLimiter {
  readonly #clock: Clock;
  #windows = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(sessionId: string): void {
    if (this.#windows.size > SESSIONS_KEPT) this.#windows.clear();
    let window = this.#windows.get(sessionId);
    if (!window) {
      window = new Window(this.#clock);
      this.#windows.set(sessionId, window);
    }
    if (window.take(BEATS_PER_SECOND)) return;
    throw new EngineError('OVERLOADED', `session ${sessionId} beats more than ${BEATS_PER_SECOND} times a second`, {
      retryAfterMs: 1_000,
      metadata: { session_id: sessionId },
    });
  }
}
