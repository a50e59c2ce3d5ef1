// Sends reports, one call at a time, until each is acknowledged.
import { Code } from './grpc.mjs';
import { finalFailure } from './outcomes.mjs';
import { bytes, nested, number, read } from './protobuf.mjs';

const MAX_REPORTS = 1_000;
const MAX_BYTES = 3 << 20;
const MAX_WAIT_MS = 2_000;

/**
 * `send(reports)` makes the call and resolves with its reply as bytes; `acknowledged(held)` is called for each report;
 * `lost()` when the session is over.
 */
export class Reports {
  #owner;
  #pending = [];
  #isSending = false;
  #closed = false;

  constructor(owner) {
    this.#owner = owner;
  }

  add(held, outcome) {
    held.outcome = outcome;
    this.#pending.push(held);
    if (!this.#isSending) void this.#sendAll();
  }

  close() {
    this.#closed = true;
  }

  async #sendAll() {
    this.#isSending = true;
    while (this.#pending.length > 0 && !this.#closed) await this.#deliver(this.#take());
    this.#isSending = false;
  }

  #take() {
    let size = 0;
    let count = 0;
    for (const { outcome } of this.#pending) {
      size += outcome.length + 64;
      if (count === MAX_REPORTS || (size > MAX_BYTES && count > 0)) break;
      count++;
    }
    return this.#pending.splice(0, count);
  }

  /** Sends the same reports until there is an answer. */
  async #deliver(batch) {
    for (let wait = 100; !this.#closed; wait = Math.min(MAX_WAIT_MS, 2 * wait)) {
      const error = await this.#send(batch);
      if (error === undefined) return;
      if (error.code === Code.FAILED_PRECONDITION && error.reason === 'LEASE_LOST') this.#owner.lost();
      else if (error.code === Code.INVALID_ARGUMENT) return this.#halve(batch, error);
      else await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + 0.5 * Math.random())));
    }
  }

  async #send(batch) {
    const reports = batch.map((held) => nested(2, bytes(1, held.jobId), number(2, held.attempt), held.outcome));
    try {
      const results = read(await this.#owner.send(reports)).bytes(1);
      for (const [i, held] of batch.entries()) if (results[i] && !this.#closed) this.#owner.acknowledged(held);
      this.#pending.unshift(...batch.filter((_, i) => !results[i]));
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** A report that is never accepted must not block the others. */
  async #halve(batch, error) {
    const middle = batch.length >> 1;
    if (middle > 0) {
      await this.#deliver(batch.slice(0, middle));
      await this.#deliver(batch.slice(middle));
    } else if (batch[0].isReplaced) this.#owner.acknowledged(batch[0]);
    else {
      Object.assign(batch[0], { isReplaced: true, outcome: finalFailure('ReportRefused', error.message) });
      await this.#deliver(batch);
    }
  }
}
