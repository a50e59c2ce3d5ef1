/** Runs a handler for a test. */
import type { StopReason } from '../worker/core/ports.ts';
import type { HandlerFunction, VersionedHandler } from '../worker/handler.ts';
import type { HandlerOptions } from './handler-options.ts';
import { HandlerOutcome } from './handler-outcome.ts';
import { type Member, startMember } from './test-family.ts';

/** A handler that runs in a test. */
export class RunningHandler<T = unknown> {
  /** What comes of it. Rejected when it has waited for children 100 times. */
  readonly outcome: Promise<HandlerOutcome<T>>;
  readonly #member: Member;

  constructor(member: Member) {
    this.#member = member;
    this.outcome = this.#outcome();
  }

  /**
   * Asks the handler to stop, as the worker would: `cancelled`: the job was; `run_timeout`: it took too long; `lease_lost`: the worker
   * can't prove that the attempt is still its own; `shutdown`: the worker was drained, and waits no longer. It still has to
   * return. The first reason counts.
   */
  stop(reason: StopReason): void {
    this.#member.runs.stop(reason);
  }

  async #outcome(): Promise<HandlerOutcome<T>> {
    const { runs, children } = this.#member;
    const report = await runs.end;
    return new HandlerOutcome<T>(report, runs.said, children.submissions);
  }
}

/**
 * Begins to run a handler, so that it can be stopped; it has been entered when this returns.
 *
 * @param handler As `Worker` takes it.
 * @param input What a client would submit.
 * @throws TypeError or RangeError when the input can't be written as JSON, or an option is none; the message names it.
 */
export function startHandler<T = unknown>(
  handler: HandlerFunction | VersionedHandler,
  input?: unknown,
  options: HandlerOptions = {},
): RunningHandler<T> {
  return new RunningHandler<T>(startMember(handler, input, options, options.stopReason));
}

/** `startHandler`, and what comes of it: what the handler throws is no error here, but the outcome's `failure`. */
export async function runHandler<T = unknown>(
  handler: HandlerFunction | VersionedHandler,
  input?: unknown,
  options: HandlerOptions = {},
): Promise<HandlerOutcome<T>> {
  return startHandler<T>(handler, input, options).outcome;
}
