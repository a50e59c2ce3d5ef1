/** The current faults of the world: the only place that decides what is lost, late, duplicated or refused. */
import type { Prng } from '../../../server/tools/simulate/prng.ts';

/** Probabilities from 0 to 1; times in ms. */
export interface Faults {
  readonly loss: number;
  readonly double: number;
  readonly late: number;
  /** Maximum delay of a late message. */
  readonly lateMs: number;
  readonly slowStatement: number;
  readonly slowMs: number;
  /** The connection breaks before the statement runs. */
  readonly refusedStatement: number;
  /** The statement runs, but the connection breaks before its answer. */
  readonly unknownStatement: number;
  /** A deadlock, a serialisation failure or a lock timeout. */
  readonly conflict: number;
}

export const noFaults: Faults = {
  loss: 0,
  double: 0,
  late: 0,
  lateMs: 0,
  slowStatement: 0,
  slowMs: 0,
  refusedStatement: 0,
  unknownStatement: 0,
  conflict: 0,
};

/** The longest time for which the database is down. */
export const MAX_OUTAGE_LEASES = 1.2;

export interface StatementFate {
  readonly startMs: number;
  readonly answerMs: number;
  readonly fault: 'none' | 'refused' | 'unknown' | 'conflict';
}

export class Conditions {
  faults: Faults = noFaults;
  databaseDown = false;
  /** The clock of the database has stepped, and not yet back. */
  isClockWrong = false;
  /** Processes whose requests, or the replies to them, are lost. */
  readonly cutRequests = new Set<string>();
  readonly cutReplies = new Set<string>();
  /** The delay in ms of the next statement of each name. */
  readonly lateOnce = new Map<string, number>();
  /** The longest delay in ms of each statement of the name. */
  readonly lateAlways = new Map<string, number>();
  /** After a statement of the name in a transaction, the delay in ms of the next statement of the other name. */
  readonly lateAfter = new Map<string, { readonly name: string; readonly ms: number }>();
  readonly #random: Prng;

  constructor(random: Prng) {
    this.#random = random;
  }

  get healthy(): boolean {
    return this.faults === noFaults;
  }

  /** Delays of the arriving copies of a message; none: it is lost. */
  message(): number[] {
    const { loss, double, late, lateMs } = this.faults;
    const random = this.#random;
    const arrivals = random.chance(loss)
      ? []
      : [random.chance(late) ? random.between(3, lateMs) : random.between(0.1, 2)];
    if (random.chance(double)) arrivals.push(random.chance(0.5) ? random.between(0.1, 20) : random.between(3, lateMs));
    return arrivals;
  }

  statement(name: string): StatementFate {
    const { slowStatement, slowMs, refusedStatement, unknownStatement, conflict } = this.faults;
    const random = this.#random;
    const slow = () => (random.chance(slowStatement) ? slowMs * random.next() ** 2 : 0);
    const startMs = random.between(0.05, 0.8) + slow() + this.#late(name);
    const answerMs = random.between(0.05, 0.8) + slow();
    const draw = random.next();
    if (this.databaseDown || draw < refusedStatement) return { startMs, answerMs, fault: 'refused' };
    if (draw < refusedStatement + unknownStatement) return { startMs, answerMs, fault: 'unknown' };
    return { startMs, answerMs, fault: draw < refusedStatement + unknownStatement + conflict ? 'conflict' : 'none' };
  }

  #late(name: string): number {
    const once = this.lateOnce.get(name) ?? 0;
    this.lateOnce.delete(name);
    const always = this.lateAlways.get(name);
    return always === undefined ? once : once + this.#random.between(0, always);
  }

  /** Within a transaction all others wait: short, except for a rare delay. */
  step(name: string): StatementFate {
    const { startMs, answerMs, fault } = this.statement(name);
    const late = this.lateAfter.get(name);
    if (late) this.lateOnce.set(late.name, late.ms);
    this.lateAfter.delete(name);
    return { startMs: startMs / 4, answerMs: answerMs / 4, fault };
  }
}
