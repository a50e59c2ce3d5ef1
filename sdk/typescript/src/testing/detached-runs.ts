/** The runs of a handler in a test. When it waits for children, they run, and then it runs again from its start. */
import type { Assignment } from '../gen/muster/worker/v1/assignment_pb.ts';
import type { HandlerOutcome, StopReason } from '../worker/core/base/ports.ts';
import { LogTail } from '../worker/core/sessions/log-tail.ts';
import type { Outcome } from '../worker/core/sessions/outcome.ts';
import { aborted, cancelled, verdictOn } from '../worker/core/sessions/outcome.ts';
import type { HandlerFunction } from '../worker/handler.ts';
import { HandlerHost } from '../worker/handler-host.ts';
import { unpackEnds } from '../worker/thread/ends.ts';
import type { HandlerUpdate, ToSession } from '../worker/thread/messages.ts';
import { SlotFlags } from '../worker/thread/slot-flags.ts';
import { StartsPacker } from '../worker/thread/starts.ts';
import type { DetachedChildren } from './detached-children.ts';
import type { Said } from './handler-outcome.ts';

/** With more runs than this, the handler is assumed never to end. */
const MAX_RUNS = 100;
/** All runs use this slot, one after the other. */
const SLOT = 0;

/** Inputs of the runs. */
export interface RunsContext {
  readonly assignment: Assignment;
  readonly handler: HandlerFunction;
  readonly children: DetachedChildren;
  readonly maxPayload: number;
  /** Stop reason that is set before the handler begins. */
  readonly stopped: StopReason | undefined;
}

export class DetachedRuns {
  readonly said: Said = { progress: [], checkpoints: [], logs: [], runs: 0, extensionMs: 0 };
  /** The final report. `undefined`: none is sent. */
  readonly end: Promise<Outcome | undefined>;
  readonly #context: RunsContext;
  readonly #flags = new SlotFlags(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #host: HandlerHost;
  #stopped: StopReason | undefined;
  #tail = new LogTail();
  #ended: (outcome: HandlerOutcome) => void = () => {};

  constructor(context: RunsContext) {
    const { assignment, handler, children, maxPayload, stopped } = context;
    this.#context = context;
    this.#stopped = stopped;
    const entered: HandlerFunction = (job, input) => {
      if (this.#stopped !== undefined) this.#host.stop(SLOT, this.#stopped);
      return handler(job, input);
    };
    const port = { postMessage: (message: ToSession) => this.#received(message) };
    const silent = { log: () => {} };
    this.#host = new HandlerHost(new Map([[assignment.handler, entered]]), this.#flags, silent, port, children);
    this.#host.maxPayload = maxPayload;
    this.end = this.#toTheEnd();
  }

  /** Asks the handler to stop; it is not run again. The first reason counts. */
  stop(reason: StopReason): void {
    this.#stopped ??= reason;
    this.#host.stop(SLOT, reason);
    this.#context.children.stop(reason);
  }

  async #toTheEnd(): Promise<Outcome | undefined> {
    while (this.said.runs < MAX_RUNS) {
      const report = this.#verdict(await this.#run());
      if (report?.case !== 'suspended' || report.value.childJobIds.length === 0) return report;
      const allEnded = await this.#context.children.finish(report.value.childJobIds);
      // A suspended job has no handler to stop: a cancel ends it at once.
      if (this.#stopped === 'cancelled') return cancelled();
      if (!allEnded || this.#stopped !== undefined) return report;
    }
    throw new Error(
      `the handler waits for children of its job for the ${MAX_RUNS}th time: submit the same ones in each run`,
    );
  }

  /** Follows the worker's rules. For `lease_lost` and `shutdown` the worker decides at the stop, this class at the end. */
  #verdict(outcome: HandlerOutcome): Outcome | undefined {
    if (this.#stopped === 'lease_lost') return aborted();
    if (this.#stopped === 'shutdown') return undefined;
    return verdictOn(this.#stopped, outcome, this.#context.maxPayload);
  }

  async #run(): Promise<HandlerOutcome> {
    const { assignment } = this.#context;
    const attempt = assignment.attempt + this.said.runs++;
    const checkpoint = this.said.checkpoints.at(-1) ?? assignment.checkpoint;
    this.said.extensionMs = 0;
    this.#tail = new LogTail();
    const starts = new StartsPacker();
    const next = { ...assignment, attempt, ...(checkpoint && { checkpoint }) };
    starts.add(SLOT, this.#flags.hand(SLOT), next);
    const outcome = await new Promise<HandlerOutcome>((resolve) => {
      this.#ended = resolve;
      this.#host.startAll(starts.take());
    });
    this.said.logs.push(...this.#tail.messages().map((record) => ({ ...record, attempt })));
    return outcome;
  }

  /** Receives the messages that the host sends to the session's thread. */
  #received(message: ToSession): void {
    if (message.kind !== 'ends') return;
    for (const update of message.updates) this.#keep(update);
    for (const { outcome } of unpackEnds(message.ends)) this.#ended(outcome);
  }

  #keep({ progress, checkpoint, extensionMs, logs = [] }: HandlerUpdate): void {
    if (progress) this.said.progress.push(progress);
    if (checkpoint) this.said.checkpoints.push({ $typeName: 'muster.v1.Payload', ...checkpoint });
    if (extensionMs !== undefined) this.said.extensionMs = extensionMs;
    for (const line of logs) this.#tail.add(line);
  }
}
