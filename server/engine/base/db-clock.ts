/**
 * The database's clock, as a replica follows it: its own monotonic clock plus an offset measured each second. An offset
 * that differs from the last one is a step of the database's clock: until the new one has lasted, the old one holds.
 */
import { trustedTime } from '../../domain/base/trusted-time.ts';
import type { Clock, Log } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';

/** Max difference between two offsets, besides the error of either: more is a step. */
const STEP_US = 1_000_000;
/** Time and samples for which a new offset must last until it holds. */
const AGREED_MS = 10_000;
const AGREED_SAMPLES = 5;

/** How fast the difference between the own clock and the database's may change, as a fraction. */
const MAX_DRIFT = 0.01;

interface Offset {
  readonly us: number;
  /** Half of the round trip: the database may have read its clock at any moment of it. */
  readonly errorUs: number;
  /** When it was measured, by the own clock. */
  readonly atMs: number;
}

interface Step {
  offset: Offset;
  samples: number;
  readonly sinceMs: number;
}

export class DbClock {
  readonly #clock: Clock;
  readonly #log: Log | undefined;
  #offset: Offset | undefined;
  #lastUs = 0;
  #step: Step | undefined;
  #steps = 0;

  constructor(clock: Clock, log?: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Microseconds since 1970; never steps back, except when a step of the database's clock is accepted. */
  nowUs(): number {
    this.#lastUs = Math.max(this.#lastUs, this.#at(this.#clock.now()));
    return this.#lastUs;
  }

  /** False from a step of the database's clock until it is over or accepted. */
  get isSteady(): boolean {
    return this.#step === undefined;
  }

  /** Steps seen so far. */
  get steps(): number {
    return this.#steps;
  }

  /** A time that a statement read as the present one; the own time if it was read from a clock that has stepped. */
  trusted(readUs: number): number {
    const nowUs = this.nowUs();
    return this.isSteady ? trustedTime(readUs, nowUs) : nowUs;
  }

  /** Measures the offset. The answer counts for the midpoint between request and reply. */
  async refresh(store: Pick<Store, 'nowUs'>): Promise<void> {
    const askedMs = this.#clock.now();
    const readUs = await store.nowUs();
    const answeredMs = this.#clock.now();
    const us = readUs - ((askedMs + answeredMs) / 2) * 1000;
    const offset = { us, errorUs: ((answeredMs - askedMs) / 2) * 1000, atMs: answeredMs };
    if (!this.#offset || isSame(this.#offset, offset)) return this.#keep(offset);
    if (!this.#step || !isSame(this.#step.offset, offset)) this.#step = this.#newStep(offset, readUs, answeredMs);
    this.#step.offset = offset;
    this.#step.samples++;
    if (this.#step.samples >= AGREED_SAMPLES && answeredMs - this.#step.sinceMs >= AGREED_MS) this.#accept(offset);
  }

  #at(ms: number): number {
    return Math.round(ms * 1000 + (this.#offset?.us ?? 0));
  }

  #keep(offset: Offset): void {
    if (this.#step) this.#log?.warn({ now: timeText(this.nowUs()) }, 'the step of the clock of the database is over');
    this.#step = undefined;
    // A slow answer says less than an earlier one that was fast.
    if (!this.#offset || offset.errorUs <= errorAt(this.#offset, offset.atMs)) this.#offset = offset;
  }

  #newStep(offset: Offset, readUs: number, answeredMs: number): Step {
    this.#steps++;
    this.#log?.error(
      { expected: timeText(this.#at(answeredMs)), read: timeText(readUs) },
      'the clock of the database has stepped; until the new time has lasted for ten seconds the old one counts: look at the clock of its machine',
    );
    return { offset, samples: 0, sinceMs: answeredMs };
  }

  #accept(offset: Offset): void {
    const before = this.nowUs();
    this.#step = undefined;
    this.#offset = offset;
    this.#lastUs = 0;
    this.#log?.error(
      { before: timeText(before), now: timeText(this.nowUs()) },
      'the new time of the database has lasted and is accepted: schedules and delays follow it',
    );
  }
}

/** `other` is the later one. */
function isSame(one: Offset, other: Offset): boolean {
  return Math.abs(one.us - other.us) <= STEP_US + errorAt(one, other.atMs) + other.errorUs;
}

function errorAt({ errorUs, atMs }: Offset, nowMs: number): number {
  return errorUs + (nowMs - atMs) * 1000 * MAX_DRIFT;
}

function timeText(us: number): string {
  return new Date(us / 1000).toISOString();
}
