/** Parses a command line, runs its command, and sets the exit code. */
import { CommanderError } from 'commander';
import { version } from '../version.ts';
import type { CommandProcess } from './command-process.ts';
import { Exit } from './failures/exit-codes.ts';
import { writeReport } from './failures/failure-report.ts';
import type { GlobalOptions } from './invocation.ts';
import { createProgram } from './program.ts';
import { findTarget } from './target.ts';

export async function main(process: CommandProcess): Promise<void> {
  /** The reader of the output has closed it, as `head` does: no more output is wanted, and nothing failed. */
  const leaveWithReader = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(Number(process.exitCode ?? Exit.OK));
  };
  process.stdout.on('error', leaveWithReader);
  process.stderr.on('error', leaveWithReader);
  const program = createProgram(version, process);
  try {
    await program.parseAsync(process.argv.slice(2), { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? Exit.OK : Exit.USAGE; // help, on request or as no command was given
      return;
    }
    const globals = program.opts<GlobalOptions>();
    const server = await findTarget(globals, process.env).then(
      (target) => target.server,
      () => '',
    );
    process.exitCode = writeReport(error, server, process.stderr, globals.json ?? process.argv.includes('--json'));
  }
}
