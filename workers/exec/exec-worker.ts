/** A worker whose handlers are commands. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consoleLogger, type HandlerFunction, type Logger, Worker } from '@muster-jobs/sdk';
import { type CommandHost, runCommand } from './command-run.ts';
import type { CommandSpec } from './command-spec.ts';
import { Guardian } from './guardian.ts';
import { MemoryWatch } from './memory-watch.ts';

export interface ExecOptions {
  /** gRPC target of the control plane. */
  readonly address: string;
  readonly namespace: string;
  readonly name: string;
  /** Commands that may run at once. */
  readonly slots: number;
  readonly labels: Record<string, string>;
  readonly resources: Record<string, number>;
  /** How long running commands may continue after a signal, in milliseconds. */
  readonly drainTimeoutMs: number;
  readonly handlers: ReadonlyMap<string, CommandSpec>;
}

/**
 * Runs jobs until SIGINT, SIGTERM or a drain by the server; resolves when no command runs any more.
 *
 * @throws MusterError when the server permanently refuses the worker.
 */
export async function runExecWorker(options: ExecOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-exec-'));
  try {
    const guardian = await Guardian.start(folder);
    try {
      await runCommands(options, { folder, guardian, memoryWatch: new MemoryWatch() });
    } finally {
      await guardian.close();
    }
  } finally {
    // The guardian has already removed it, unless it was killed.
    await rm(folder, { recursive: true, force: true });
  }
}

async function runCommands({ handlers, drainTimeoutMs, ...options }: ExecOptions, host: CommandHost): Promise<void> {
  const running = new Set<Promise<unknown>>();
  const worker = new Worker({
    ...options,
    handlers: Object.fromEntries(
      [...handlers].map(([name, spec]) => [name, tracked(running, (context) => runCommand(spec, context, host))]),
    ),
    signals: true,
    stopTimeoutMs: drainTimeoutMs,
    logger: ownLogger,
    onEvent: (event) => {
      if (event === 'ready') consoleLogger.log('info', 'the worker is ready', { handlers: [...handlers.keys()] });
    },
  });
  host.guardian.onLost(() => {
    consoleLogger.log('error', 'the process that guards the commands was ended: the worker finishes, and stops');
    worker.stop().catch(() => {}); // `run` reports it
  });
  try {
    await worker.run();
  } finally {
    await Promise.allSettled(running);
  }
}

/** The worker waits for its commands before it ends, also for those of earlier sessions. */
function tracked(running: Set<Promise<unknown>>, handler: HandlerFunction): HandlerFunction {
  return (context, input) => {
    const run = Promise.resolve(handler(context, input)).finally(() => running.delete(run));
    running.add(run);
    return run;
  };
}

/** Output of commands goes to the logs of their jobs only, so that it can't flood the worker's log. */
const ownLogger: Logger = {
  log(level, message, fields) {
    if (fields?.jobId === undefined) consoleLogger.log(level, message, fields);
  },
};
