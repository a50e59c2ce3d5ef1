#!/usr/bin/env node
/** The `muster` command: reads what it is asked, does it, and leaves with a code that says how it went. */
import { CommanderError } from 'commander';
import { version } from '../version.ts';
import { Exit } from './exit-codes.ts';
import { writeReport } from './failure-report.ts';
import type { GlobalOptions } from './invocation.ts';
import { createProgram } from './program.ts';
import { findTarget } from './target.ts';

/** The reader has left, as `head` does: nothing more is wanted, and nothing went wrong. */
function leaveWithReader(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? Exit.OK);
  throw error;
}

async function main(): Promise<void> {
  process.stdout.on('error', leaveWithReader);
  process.stderr.on('error', leaveWithReader);
  const program = createProgram(version);
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? Exit.OK : Exit.USAGE; // help was shown: asked for, or for want of a command
      return;
    }
    const globals = program.opts<GlobalOptions>();
    const server = await findTarget(globals).then(
      (target) => target.server,
      () => '',
    );
    process.exitCode = writeReport(error, server, globals.json ?? process.argv.includes('--json'));
  }
}

await main();
