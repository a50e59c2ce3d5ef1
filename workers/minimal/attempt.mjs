// One attempt of a handler: its input, its signals, and its outcome.
import * as outcomes from './outcomes.mjs';
import { durationMs, read } from './protobuf.mjs';

const DEFAULT_RUN_TIMEOUT_MS = 3_600_000;
const TIMEOUT_GRACE_MS = 5_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const CONTINUE = 2;

/** Reads an `Assignment`. */
export function readAssignment(message) {
  const fields = read(message);
  const input = read(fields.bytes(5));
  return {
    jobId: Buffer.from(fields.bytes(1)),
    attempt: fields.number(2),
    creditId: fields.number(3),
    handler: fields.text(4),
    input: { data: Buffer.from(input.bytes(1)), type: input.text(2) },
    isPrefetch: fields.number(6) === 1,
    runTimeoutMs: durationMs(fields, 7, DEFAULT_RUN_TIMEOUT_MS),
    continues: fields.number(15) === CONTINUE,
  };
}

export const keyOf = ({ jobId, attempt }) => `${jobId.toString('hex')}/${attempt}`;

function decode({ data, type }) {
  return /^application\/(.+\+)?json\b/i.test(type) ? JSON.parse(data.toString()) : data;
}

/** A held attempt: from its acceptance or release to the acknowledgement of its report. */
export class Attempt {
  jobId;
  attempt;
  continues;
  /** Whether its handler was entered. */
  started = false;
  /** The outcome field of its report, once it has ended. */
  outcome;
  #abort = new AbortController();
  #why;

  constructor({ jobId, attempt, continues }) {
    Object.assign(this, { jobId, attempt, continues });
  }

  /** Asks the handler to stop: `cancelled`, `run_timeout` or `lease_lost`. The first reason counts. */
  stop(why) {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#abort.abort();
  }

  /** Runs the handler; calls `end(outcome)` once, at the latest a few seconds after its run timeout. */
  async run(handler, { input, runTimeoutMs }, maxPayload, end) {
    this.started = true;
    const timers = this.#limit(runTimeoutMs, () => end(outcomes.timedOut()));
    const outcome = await Promise.resolve()
      .then(() => handler(decode(input), this.#abort.signal))
      .then(
        (value) => (this.#why === 'run_timeout' ? outcomes.timedOut() : outcomes.result(value, maxPayload)),
        (error) => this.#failed(error),
      );
    for (const timer of timers) clearTimeout(timer);
    end(outcome);
  }

  #failed(error) {
    if (this.#why === 'cancelled') return outcomes.cancelled();
    return this.#why === 'run_timeout' ? outcomes.timedOut() : outcomes.failure(error);
  }

  #limit(runTimeoutMs, over) {
    const after = (ms, what) => setTimeout(what, Math.min(ms, LONGEST_TIMER_MS));
    return [after(runTimeoutMs, () => this.stop('run_timeout')), after(runTimeoutMs + TIMEOUT_GRACE_MS, over)];
  }
}
