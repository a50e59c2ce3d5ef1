// The credits of a session: what is granted, what is left of it, and what was assigned under it.
import { nested, number } from './protobuf.mjs';

const CREDIT_LIFE_MS = 15_000;
const REPLACE_BELOW_MS = 8_000;

export class Credits {
  #byId = new Map();
  #unsaid = new Set();
  #lastId = 0;

  /** The credit while it lives. */
  live(id, now) {
    const credit = this.#byId.get(id);
    return credit && now < credit.until ? credit : undefined;
  }

  voidAll() {
    this.#void(() => true);
  }

  /** At a heartbeat: those that end soon are replaced. */
  voidAging(now) {
    this.#void(({ until }) => until - now < REPLACE_BELOW_MS);
  }

  /** What the next call says: a credit for the places that no other one offers, and the ids that are void. */
  terms(now, free) {
    for (const [id, { until }] of this.#byId) if (now >= until) this.#byId.delete(id);
    for (const id of this.#unsaid) if (!this.#byId.has(id)) this.#unsaid.delete(id);
    const offered = [...this.#byId.values()].reduce((sum, { left }) => sum + left, 0);
    const slots = Math.max(0, free - offered);
    const id = slots > 0 ? ++this.#lastId : undefined;
    if (id) this.#byId.set(id, { left: slots, until: now + CREDIT_LIFE_MS, seen: new Set() });
    return { id, slots, voided: [...this.#unsaid] };
  }

  /** The call with these terms is over: if it failed, nobody knows whether its credit was taken, so it is void. */
  settle({ id, voided }, answered) {
    if (answered) for (const one of voided) this.#unsaid.delete(one);
    else if (id) this.#void((_credit, one) => one === id);
  }

  #void(condition) {
    for (const [id, credit] of this.#byId) {
      if (credit.left === 0 || !condition(credit, id)) continue;
      credit.left = 0;
      this.#unsaid.add(id);
    }
  }
}

/** The terms as fields 3 and 4 of a heartbeat or a report. */
export function termFields({ id, slots, voided }) {
  const granted = id ? [nested(3, number(1, id), number(2, slots))] : [];
  return [...granted, ...voided.map((one) => number(4, one))];
}
