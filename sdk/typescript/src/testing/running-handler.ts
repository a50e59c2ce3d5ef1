/** Runs a handler in a test. */
import type { StopReason } from '../worker/core/base/ports.ts';
import type { HandlerFunction, VersionedHandler } from '../worker/handler.ts';
import type { HandlerOptions } from './handler-options.ts';
import { HandlerOutcome } from './handler-outcome.ts';
import { type Member, startMember } from './test-family.ts';

/** A handler that runs in a test. */
export class RunningHandler<T = unknown> {
  /** The outcome. Rejected when the handler waits for children for the 100th time. */
  readonly outcome: Promise<HandlerOutcome<T>>;
  readonly #member: Member;

  constructor(member: Member) {
    this.#member = member;
    this.outcome = this.#outcome();
  }

  /**
   * Asks the handler to stop, as the worker would. `cancelled`: the job was cancelled; `suspended`: it was paused;
   * `run_timeout`: it took too long; `lease_lost`: the worker can't prove that it holds the attempt; `shutdown`: the worker has drained and waits no
   * longer. The handler still has to return. The first reason counts.
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
 * Starts a handler, so that it can be stopped. The handler has been entered when this returns.
 *
 * @param handler A handler as passed to `Worker`.
 * @param input The input as passed to `Client.submit`.
 * @throws TypeError or RangeError when the input can't be written as JSON, or an option is invalid; the message names
 *   it.
 */
export function startHandler<T = unknown>(
  handler: HandlerFunction | VersionedHandler,
  input?: unknown,
  options: HandlerOptions = {},
): RunningHandler<T> {
  return new RunningHandler<T>(startMember(handler, input, options, options.stopReason));
}

/** Runs a handler to its end. An error of the handler is not thrown: it is the `failure` of the outcome. */
export async function runHandler<T = unknown>(
  handler: HandlerFunction | VersionedHandler,
  input?: unknown,
  options: HandlerOptions = {},
): Promise<HandlerOutcome<T>> {
  return startHandler<T>(handler, input, options).outcome;
}
