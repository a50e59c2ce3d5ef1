/** One run of a command: its global options, its output, and its stop signal. */
import type { Command } from 'commander';
import type { CommandProcess, StopSignal } from './command-process.ts';
import { Connection } from './connection.ts';
import { CliError } from './failures/cli-error.ts';
import { Exit } from './failures/exit-codes.ts';
import { processOf } from './muster-command.ts';
import { Output } from './output/output.ts';
import { findTarget, type TargetOptions } from './target.ts';

/** Maximum time for a command to end after a signal, before it is killed. */
const STOP_MS = 2_000;
const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface GlobalOptions extends TargetOptions {
  readonly json?: boolean;
}

export class Invocation {
  readonly process: CommandProcess;
  readonly globals: GlobalOptions;
  readonly out: Output;
  readonly #stop = new AbortController();
  #connection: Promise<Connection> | undefined;

  constructor(process: CommandProcess, globals: GlobalOptions) {
    this.process = process;
    this.globals = globals;
    this.out = new Output(globals.json ?? false, process);
  }

  /** Aborts with an `Interrupted` on Ctrl-C and SIGTERM. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** The connection to the command's server; opened on first use. */
  connection(): Promise<Connection> {
    this.#connection ??= findTarget(this.globals, this.process.env).then(
      (target) => new Connection(target, this.signal),
    );
    return this.#connection;
  }

  /** Handles signals: the first one stops the command, the second one ends it at once. */
  listen(): () => void {
    const { process } = this;
    const codes = { SIGINT: Exit.INTERRUPTED, SIGTERM: Exit.TERMINATED } as const;
    const stop = (name: StopSignal) => {
      if (this.signal.aborted) return process.exit(codes[name]);
      this.#stop.abort(new Interrupted(codes[name]));
      setTimeout(() => process.exit(codes[name]), STOP_MS).unref();
    };
    for (const name of STOP_SIGNALS) process.on(name, stop);
    return () => {
      for (const name of STOP_SIGNALS) process.off(name, stop);
    };
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    connection?.close();
  }
}

/** A signal has stopped the command. */
export class Interrupted extends CliError {
  constructor(exitCode: number) {
    super({ message: 'stopped', exitCode });
  }
}

/**
 * Makes a command's action from a function: it gets the invocation, the command's own options and its arguments, and
 * may return an exit code.
 */
export function handled<O, A extends readonly unknown[] = []>(
  run: (invocation: Invocation, options: O, ...args: A) => Promise<unknown>,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    // commander passes the arguments, then the options, then the command.
    const command = given.at(-1) as Command;
    const process = processOf(command);
    const invocation = new Invocation(process, command.optsWithGlobals<GlobalOptions>());
    const unlisten = invocation.listen();
    try {
      const code = await run(invocation, command.opts() as O, ...(given.slice(0, -2) as unknown as A));
      process.exitCode = typeof code === 'number' ? code : Exit.OK;
    } catch (error) {
      throw invocation.signal.aborted ? invocation.signal.reason : error;
    } finally {
      unlisten();
      await invocation.close();
    }
  };
}
