/** Runs scripted handlers for the SDK's core: started after a moment, stopped by a signal, each recorded. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import { FailureCause, FailureSchema } from '../../../sdk/typescript/src/gen/muster/v1/failure_pb.ts';
import type { Assignment } from '../../../sdk/typescript/src/gen/muster/worker/v1/assignment_pb.ts';
import { uuidText } from '../../../sdk/typescript/src/uuid.ts';
import type { HandlerOutcome, Runner, StopReason } from '../../../sdk/typescript/src/worker/core/base/ports.ts';
import type { SessionCore } from '../../../sdk/typescript/src/worker/core/sessions/session-core.ts';
import { progressMessage, reportedProgress } from '../../../sdk/typescript/src/worker/progress.ts';
import type { History } from '../core/history.ts';
import type { Process, Timer } from '../core/process.ts';
import type { Rpc } from '../network/sim-rpc.ts';
import { CLEANUP_HANDLER } from '../scenario/definitions.ts';
import { cleanupOf, decodeScript, type HandlerScript, isToFail, resultOf, signature } from './handler-script.ts';
import { isUnknown, refusalIn } from './sim-caller.ts';
import { raise } from './sim-family.ts';

/** A running handler, in the form that the checks read. */
export interface Execution {
  readonly job: string;
  readonly attempt: number;
  readonly session: string;
  readonly process: Process;
  readonly continues: boolean;
  signalled: StopReason | undefined;
}

/** All executions of all workers: each further start of a job is checked. */
export interface Executions {
  started(execution: Execution): void;
  over(execution: Execution): void;
}

interface Run {
  readonly assignment: Assignment;
  readonly script: HandlerScript;
  execution: Execution | undefined;
  timers: Timer[];
}

export interface RunnerParts {
  readonly process: Process;
  readonly history: History;
  readonly executions: Executions;
  /** Used by handlers to submit children. */
  readonly rpc: Rpc;
  readonly core: () => SessionCore;
  readonly session: () => string;
  /** Ends the process at once. */
  readonly crash: () => void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class SimRunner implements Runner {
  readonly #parts: RunnerParts;
  readonly #runs = new Map<number, Run>();

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  start(slot: number, assignment: Assignment): void {
    const { process, history } = this.#parts;
    if (assignment.prefetch) history.count('prefetched attempt started');
    const run: Run = {
      assignment,
      script: scriptOf(assignment),
      execution: undefined,
      timers: [],
    };
    this.#runs.set(slot, run);
    const session = this.#parts.session();
    run.timers.push(
      process.after(process.random.chance(0.1) ? process.random.between(1, 40) : 0.05, () =>
        this.#enter(slot, run, session),
      ),
    );
  }

  /** Whether a handler runs. */
  get isBusy(): boolean {
    return [...this.#runs.values()].some(({ execution }) => execution !== undefined);
  }

  hasStarted(slot: number): boolean {
    return this.#runs.get(slot)?.execution !== undefined;
  }

  withdraw(slot: number): boolean {
    const run = this.#runs.get(slot);
    if (!run || run.execution) return false;
    for (const timer of run.timers) timer.cancel();
    this.#runs.delete(slot);
    return true;
  }

  stop(slot: number, reason: StopReason): void {
    const { process, history } = this.#parts;
    const run = this.#runs.get(slot);
    if (!run?.execution) return;
    run.execution.signalled ??= reason;
    history.log(process.name, 'signal', { ...keyOf(run.execution), reason });
    if (run.script.deaf) return;
    for (const timer of run.timers) timer.cancel();
    run.timers = [
      process.after(process.random.between(0.1, 30), () => this.#end(slot, run, failed({ type: 'Stopped' }))),
    ];
  }

  /** The process died: all handlers are gone. */
  die(): void {
    for (const run of this.#runs.values()) if (run.execution) this.#parts.executions.over(run.execution);
    this.#runs.clear();
  }

  #enter(slot: number, run: Run, session: string): void {
    const { process, executions, history } = this.#parts;
    const { assignment, script } = run;
    const job = uuidText(assignment.jobId);
    const execution: Execution = {
      job,
      attempt: assignment.attempt,
      session,
      process,
      continues: assignment.leaseLossAction === 2,
      signalled: undefined,
    };
    run.execution = execution;
    if (assignment.checkpoint) history.count('attempt began with a checkpoint');
    const checkpoint = assignment.checkpoint && decoder.decode(assignment.checkpoint.data);
    history.log(process.name, 'start', { ...keyOf(execution), checkpoint, paused: process.pausedWithin(100) });
    executions.started(execution);
    if (script.kills) run.timers.push(process.after(Math.min(script.ms, 20), this.#parts.crash));
    for (let step = 1; step <= script.steps; step++) {
      run.timers.push(
        process.after((script.ms * step) / (script.steps + 1), () => this.#step(slot, execution, step, script.steps)),
      );
    }
    for (const { atMs, totalMs } of script.extensions)
      run.timers.push(process.after(atMs, () => this.#extend(slot, execution, totalMs)));
    run.timers.push(process.after(script.ms, () => void this.#finish(slot, run, execution)));
  }

  /** With children it takes the time to submit them and to read their ends. */
  async #finish(slot: number, run: Run, execution: Execution): Promise<void> {
    if (!run.script.family) return this.#end(slot, run, this.#outcome(execution, run));
    const isOver = () => this.#runs.get(slot) !== run;
    const outcome = await raise(this.#parts, keyOf(execution), run.script, isOver).catch((error: unknown) =>
      refused(error, this.#parts.history),
    );
    if (!isOver()) this.#end(slot, run, outcome ?? this.#outcome(execution, run));
  }

  #step(slot: number, { job, attempt, session }: Execution, step: number, steps: number): void {
    const core = this.#parts.core();
    const message = signature(job, attempt, session, `#${step}`);
    core.progress(slot, progressMessage(reportedProgress({ done: step, total: steps + 1, unit: 'steps' }, message)));
    if (step % 2 === 0) return;
    const data = encoder.encode(signature(job, attempt, session, `#${step}`));
    core.checkpoint(slot, { $typeName: 'muster.v1.Payload', data, contentType: 'text/plain', metadata: {} });
  }

  #extend(slot: number, execution: Execution, totalMs: number): void {
    const { process, history, core } = this.#parts;
    if (execution.signalled === undefined) history.log(process.name, 'extension', { ...keyOf(execution), totalMs });
    core().extendRunTimeout(slot, totalMs);
  }

  #outcome({ job, attempt, session }: Execution, { assignment, script }: Run): HandlerOutcome {
    if (isToFail(script, attempt, assignment.attemptCount)) return scripted(script);
    const { text, contentType } = resultOf(script, signature(job, attempt, session));
    return {
      kind: 'result',
      payload: { $typeName: 'muster.v1.Payload', data: encoder.encode(text), contentType, metadata: {} },
    };
  }

  #end(slot: number, run: Run, outcome: HandlerOutcome): void {
    const { process, executions, history, core } = this.#parts;
    const { execution } = run;
    if (!execution) return;
    for (const timer of run.timers) timer.cancel();
    this.#runs.delete(slot);
    history.log(process.name, 'return', { ...keyOf(execution), outcome: outcome.kind });
    executions.over(execution);
    core().handlersEnded([{ slot, outcome }]);
  }
}

function keyOf({ job, attempt, session }: Execution) {
  return { job, attempt, session };
}

function scriptOf({ handler, input }: Assignment): HandlerScript {
  const script = decodeScript(decoder.decode(input?.data));
  return handler === CLEANUP_HANDLER ? cleanupOf(script) : script;
}

function scripted({ failure, nonRetryable, infrastructure, exitCode, retryDelayMs }: HandlerScript): HandlerOutcome {
  return failed({
    type: failure,
    nonRetryable,
    exitCode,
    failureCause: infrastructure ? FailureCause.INFRASTRUCTURE : FailureCause.APPLICATION,
    ...(retryDelayMs > 0 ? { retryDelay: durationFromMs(retryDelayMs) } : {}),
  });
}

/** No answer, or the attempt is no longer its own. */
function refused(error: unknown, history: History): HandlerOutcome {
  if (isUnknown(error)) return failed({ type: 'NoAnswer' });
  history.count(`child refused: ${refusalIn(error, ['PARENT_ATTEMPT_CLOSED'])}`);
  return failed({ type: 'ParentGone' });
}

function failed(rest: MessageInitShape<typeof FailureSchema>): HandlerOutcome {
  const message = `a ${rest.type} as scripted`;
  return {
    kind: 'failure',
    failure: create(FailureSchema, { message, failureCause: FailureCause.APPLICATION, ...rest }),
  };
}
