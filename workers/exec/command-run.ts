/** One attempt: a process from its start until all processes that it has started have ended. */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { InfrastructureError, type JobContext } from '@muster-jobs/sdk';
import type { CommandSpec } from './command-spec.ts';
import { fixedEnvironment, jobEnvironment } from './environment.ts';
import type { Guardian } from './guardian.ts';
import { type JobFolder, makeJobFolder, removeJobFolder } from './job-folder.ts';
import { type LaunchedProcess, launch } from './launch.ts';
import type { MemoryWatch } from './memory-watch.ts';
import { MessageReader } from './messages.ts';
import { cannotStart, failureOfEnd, outOfMemory, outputTooLarge, resultOf } from './outcome.ts';
import { isAlive, killSession, signalSession } from './process-session.ts';
import { programFault } from './program-file.ts';
import { StderrLog } from './stderr-log.ts';

/** Time for output of processes that have left the session, after all others have ended. */
const LAST_OUTPUT_MS = 500;
const LAST_TURNS = 4;
const POLL_MS = 20;

/** Parts that all commands of a worker share. */
export interface CommandHost {
  /** The worker's own folder. */
  readonly folder: string;
  readonly guardian: Guardian;
  readonly memoryWatch: MemoryWatch;
}

/**
 * Runs the command for a job. The returned value is the result, a thrown error the failure.
 *
 * @throws HandlerStopped when the command failed after it was asked to stop.
 */
export async function runCommand(spec: CommandSpec, context: JobContext, host: CommandHost): Promise<unknown> {
  const fixed = fixedEnvironment(spec);
  const fault = await programFault(spec.command[0] ?? '', spec.directory, fixed.PATH ?? '');
  if (fault !== undefined) throw cannotStart(fault);
  let folder: JobFolder | undefined;
  try {
    let launched: LaunchedProcess;
    try {
      folder = await makeJobFolder(host.folder, context);
      context.signal.throwIfAborted();
      const env = { ...fixed, ...jobEnvironment(context, folder) };
      launched = await launch(spec, folder, env, host.guardian.descriptor);
    } catch (error) {
      throw context.signal.aborted ? context.signal.reason : asInfrastructure(error);
    }
    return await new CommandRun(spec, context, host, launched).finish();
  } finally {
    await removeJobFolder(folder);
  }
}

/** The machine lacks resources for a process or a file; another machine may have them. */
function asInfrastructure(error: unknown): Error {
  return new InfrastructureError(`the command could not be started: ${(error as Error).message}`, { cause: error });
}

class CommandRun {
  readonly #spec: CommandSpec;
  readonly #context: JobContext;
  readonly #host: CommandHost;
  readonly #process: LaunchedProcess;
  readonly #stderr: StderrLog;
  readonly #messages: MessageReader;
  #stdout: Buffer[] = [];
  #stdoutBytes = 0;
  /** Why the worker itself has killed the command. */
  #fault: Error | undefined;
  #killTimer: NodeJS.Timeout | undefined;

  constructor(spec: CommandSpec, context: JobContext, host: CommandHost, process: LaunchedProcess) {
    this.#spec = spec;
    this.#context = context;
    this.#host = host;
    this.#process = process;
    this.#stderr = new StderrLog(context);
    this.#messages = new MessageReader(context);
  }

  async finish(): Promise<unknown> {
    const { signal } = this.#context;
    const { session, stdout, stderr, messages, ended } = this.#process;
    const stop = () => this.#stop();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    const unwatch = this.#watchMemory();
    const read = Promise.all([
      drain(stdout, (chunk) => this.#keep(chunk)),
      drain(stderr, (chunk) => this.#stderr.push(chunk)),
      drain(messages, (chunk) => this.#messages.push(chunk)),
    ]);
    try {
      const end = await ended;
      await this.#endTheRest();
      await Promise.race([read, lastOutput()]);
      return this.#outcome(end);
    } finally {
      unwatch();
      clearTimeout(this.#killTimer);
      signal.removeEventListener('abort', stop);
      this.#host.guardian.forget(session);
      for (const socket of [stdout, stderr, messages]) socket.destroy();
    }
  }

  #outcome(end: Parameters<typeof failureOfEnd>[0]): unknown {
    this.#messages.finish();
    this.#stderr.finish();
    if (this.#fault !== undefined) throw this.#fault;
    const failure = failureOfEnd(end, this.#spec, this.#stderr.last);
    if (failure === undefined) return resultOf(Buffer.concat(this.#stdout), this.#spec.output);
    throw this.#context.signal.aborted ? this.#context.signal.reason : failure;
  }

  /** Sends a signal to all processes; for a suspension its own one first, so that the command can save its state. */
  #stop(): void {
    const { suspendSignal, graceMs } = this.#spec;
    if (this.#context.signal.reason.reason !== 'suspended' || suspendSignal === 'SIGTERM') this.#terminate();
    else {
      signalSession(this.#process.session, suspendSignal);
      this.#killTimer = setTimeout(() => this.#terminate(), graceMs);
    }
  }

  /** Sends SIGTERM to all processes, and kills those that have not ended in time. */
  #terminate(): void {
    signalSession(this.#process.session, 'SIGTERM');
    // One that has stopped itself would not see it.
    signalSession(this.#process.session, 'SIGCONT');
    this.#killTimer = setTimeout(() => killSession(this.#process.session), this.#spec.graceMs);
  }

  #kill(fault: Error): void {
    this.#fault ??= fault;
    killSession(this.#process.session);
  }

  /**
   * The command has ended. Processes that it leaves behind get the rest of the grace period after a stop, else none.
   */
  async #endTheRest(): Promise<void> {
    const { session } = this.#process;
    if (this.#killTimer !== undefined) {
      const end = performance.now() + this.#spec.graceMs;
      while (isAlive(session) && performance.now() < end) await delay(POLL_MS);
    }
    killSession(session);
  }

  #keep(chunk: Buffer): void {
    this.#stdoutBytes += chunk.length;
    if (this.#stdoutBytes <= this.#spec.outputLimit) this.#stdout.push(chunk);
    else if (this.#fault === undefined) {
      this.#stdout = [];
      this.#kill(outputTooLarge(this.#spec.outputLimit));
    }
  }

  #watchMemory(): () => void {
    const { memory } = this.#spec;
    if (memory === undefined) return () => {};
    return this.#host.memoryWatch.watch(this.#process.session, memory, (used) => this.#kill(outOfMemory(used, memory)));
  }
}

/** Even if this process was too busy, all written output is read by then: each turn reads everything available. */
async function lastOutput(): Promise<void> {
  await delay(LAST_OUTPUT_MS, undefined, { ref: false });
  for (let turn = 0; turn < LAST_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Reads to the end. */
function drain(socket: Socket, onChunk: (chunk: Buffer) => void): Promise<void> {
  socket.on('data', onChunk);
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
