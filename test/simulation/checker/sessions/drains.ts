/** Drained sessions: they get no more grants, they end, and their released jobs run elsewhere. */
import { type Evidence, isGrant, type Ordered } from '../base/events.ts';

const OPEN = 1;
const CLOSED = 3;

export class DrainChecks {
  readonly #evidence: Evidence;
  /** Position from which each session drains. */
  readonly #drained = new Map<string, number>();
  readonly #states = new Map<string, number>();
  /** The last session of each job. */
  readonly #sessionOf = new Map<string, string>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  take(row: Ordered): void {
    if (row.kind === 'session') this.#session(row);
    else if (isGrant(row)) this.#grant(row);
  }

  /** Call after the last row. */
  finish(): void {
    const { history } = this.#evidence;
    for (const { facts, order } of this.#evidence.seen.get('drained') ?? []) {
      if ((this.#drained.get(String(facts.session)) ?? Number.POSITIVE_INFINITY) > order)
        this.#violate(`DrainWorker of session ${facts.session} was answered, and it is not to drain (order ${order})`);
    }
    for (const session of this.#drained.keys()) {
      if (this.#states.get(session) === CLOSED) history.count('a session drained by a person has ended');
      else this.#violate(`session ${session} was drained and has not ended`);
    }
  }

  #session(row: Ordered): void {
    this.#states.set(row.id, row.to ?? 0);
    if (row.counted !== 1) {
      if (this.#drained.has(row.id)) this.#violate(`session ${row.id} is not to drain any more (journal ${row.n})`);
      return;
    }
    if (this.#drained.has(row.id)) return;
    this.#drained.set(row.id, row.order);
    if (row.to !== OPEN) this.#violate(`session ${row.id} was drained in state ${row.to} (journal ${row.n})`);
  }

  #grant(row: Ordered): void {
    const session = row.sessionId ?? '';
    const before = this.#sessionOf.get(row.id) ?? '';
    this.#sessionOf.set(row.id, session);
    if (this.#drained.has(session))
      this.#violate(`job ${row.id} was granted to session ${session}, which drains (journal ${row.n})`);
    if (this.#drained.has(before)) this.#evidence.history.count('job of a drained session ran elsewhere');
  }

  #violate(what: string): void {
    this.#evidence.history.violate('drained workers', what);
  }
}
