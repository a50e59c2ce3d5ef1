/** Starts a worker whose handlers are commands, after all checks that are possible before the start. */
import type { CommandSpec } from '../../../workers/exec/command-spec.ts';
import { fixedEnvironment } from '../../../workers/exec/environment.ts';
import { type ExecOptions, runExecWorker } from '../../../workers/exec/exec-worker.ts';
import { programFault } from '../../../workers/exec/program-file.ts';
import { startTracing } from '../../telemetry/traces/process-spans.ts';
import { CliError } from '../failures/cli-error.ts';
import { Exit } from '../failures/exit-codes.ts';

export async function startExecWorker(options: ExecOptions): Promise<void> {
  if (process.platform === 'win32')
    throw new CliError({
      message: 'muster worker exec needs a Unix: Windows has neither its signals nor its groups of processes',
      next: 'run it in WSL, or write a worker with an SDK',
      exitCode: Exit.UNSUPPORTED,
    });
  const faults: string[] = [];
  for (const [name, spec] of options.handlers) {
    const fault = await programFault(spec.command[0] ?? '', spec.directory, fixedEnvironment(spec).PATH ?? '');
    if (fault !== undefined) faults.push(`handler ${name}: ${fault}`);
    for (const fault of wordFaults(spec)) faults.push(`handler ${name}: ${fault}`);
    if (spec.memory !== undefined && process.platform !== 'linux')
      faults.push(`handler ${name}: memory can be bounded on Linux only`);
  }
  if (faults.length > 0)
    throw new CliError({ message: 'a handler could not run; nothing was started', details: faults });
  const stopTracing = tracing();
  try {
    await runExecWorker(options);
  } finally {
    await stopTracing();
  }
}

/** Starts tracing, for the handlers' spans of the SDK. */
function tracing(): () => Promise<void> {
  try {
    return startTracing(process.env, 'muster-exec');
  } catch (error) {
    throw new CliError({ message: `${(error as Error).message}; nothing was started` });
  }
}

/** Arguments and variables that no process can get. */
function wordFaults({ command, environment }: CommandSpec): string[] {
  const faults = Object.keys(environment)
    .filter((name) => name === '' || /[=\0]/.test(name))
    .map((name) => `environment: ${JSON.stringify(name)} is not the name of a variable`);
  if ([...command, ...Object.values(environment)].some((word) => word.includes('\0')))
    faults.push('a NUL character can be neither in an argument nor in a variable');
  return faults;
}
