/**
 * Observations outside the database, in one order with the statements, and the number of times that each thing
 * happened.
 */
import type { World } from '../../../server/tools/simulate/world.ts';

/** One record. Its kind determines its facts. */
export interface Entry {
  readonly order: number;
  /** Virtual time in ms. */
  readonly at: number;
  /** The process that saw it. */
  readonly who: string;
  readonly kind: string;
  readonly facts: Facts;
}

export type Facts = Readonly<Record<string, string | number | boolean | undefined>>;

const TAIL = 200_000;

export class History {
  readonly entries: Entry[] = [];
  /**
   * Statement times (µs on the database's clock) in the order of execution, with their positions in the merged order.
   */
  readonly statementOrder = new Map<number, number>();
  /** The time of the first statement of each transaction, by statement: decisions in it were made at that time. */
  readonly transactionBegan = new Map<number, number>();
  /** The times of first statements of transactions that ran, in part, while the database's clock was an hour off. */
  readonly underWrongClock = new Set<number>();
  readonly counts = new Map<string, number>();
  /** Found during the simulation. */
  readonly violations: string[] = [];
  readonly #world: World;
  readonly #lines: string[] = [];
  readonly #keepsLines: boolean;
  #order = 0;
  #calls = 0;

  constructor(world: World, keepsLines: boolean) {
    this.#world = world;
    this.#keepsLines = keepsLines;
  }

  log(who: string, kind: string, facts: Facts = {}): void {
    this.entries.push({ order: this.#order++, at: this.#world.now, who, kind, facts });
    this.trace(who, kind, facts);
  }

  /** For a reader of the trace only: no check uses it. */
  trace(who: string, what: string, facts: Facts = {}): void {
    if (!this.#keepsLines) return;
    const text = Object.entries(facts)
      .map(([key, value]) => (value === undefined ? '' : ` ${key}=${value}`))
      .join('');
    this.#lines.push(`${this.#world.now.toFixed(3).padStart(12)} ${who.padEnd(12)} ${what}${text}`);
    if (this.#lines.length > 2 * TAIL) this.#lines.splice(0, TAIL);
  }

  /** A number for a call, to match its end. */
  nextCall(): number {
    return this.#calls++;
  }

  executed(us: number, transactionBeganUs = us, isClockWrong = false): void {
    this.statementOrder.set(us, this.#order++);
    this.transactionBegan.set(us, transactionBeganUs);
    if (isClockWrong) this.underWrongClock.add(transactionBeganUs);
  }

  count(what: string, times = 1): void {
    if (times > 0) this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }

  violate(invariant: string, what: string): void {
    this.violations.push(`${invariant}: ${what}`);
    this.trace('CHECK', `${invariant}: ${what}`);
  }

  tail(lines: number): string[] {
    return this.#lines.slice(-lines);
  }
}
