// The credits of a session: what is granted, what is unspent, and which attempts were assigned under it.
import { nested, number } from './protobuf.mjs';

const CREDIT_LIFE_MS = 15_000;
const REPLACE_BELOW_MS = 8_000;

export class Credits {
  #byId = new Map();
  #unsaid = new Set();
  #lastId = 0;

  /** The credit while it is live. */
  live(id, now) {
    const credit = this.#byId.get(id);
    return credit && now < credit.until ? credit : undefined;
  }

  voidAll() {
    this.#void(() => true);
  }

  /** Called at each heartbeat: credits that expire soon are replaced. */
  voidAging(now) {
    this.#void(({ until }) => until - now < REPLACE_BELOW_MS);
  }

  /** The terms of the next call: a credit for the slots that no other one covers, and the voided ids. */
  terms(now, free) {
    for (const [id, { until }] of this.#byId) if (now >= until) this.#byId.delete(id);
    for (const id of this.#unsaid) if (!this.#byId.has(id)) this.#unsaid.delete(id);
    const offered = [...this.#byId.values()].reduce((sum, { left }) => sum + left, 0);
    const slots = Math.max(0, free - offered);
    const id = slots > 0 ? ++this.#lastId : undefined;
    if (id) this.#byId.set(id, { left: slots, until: now + CREDIT_LIFE_MS, seen: new Set() });
    return { id, slots, voided: [...this.#unsaid] };
  }

  /**
   * Ends the call with these terms. If it failed, the server may or may not have its credit, so the credit is voided.
   */
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
