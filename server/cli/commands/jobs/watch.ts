/** `muster watch`: follows a job until it ends. */
import type { Command } from 'commander';
import { follow, showEnd } from '../../follow.ts';
import { span } from '../../input/spans.ts';
import { handled } from '../../invocation.ts';

interface Options {
  readonly timeout?: number;
}

export function addWatch(program: Command): void {
  program
    .command('watch')
    .argument('<job>', 'id of the job')
    .helpGroup('Jobs:')
    .description('Follow a job to its end: state, progress, and what came of it')
    .option('--timeout <span>', 'watch no longer than this; the job goes on (exit code 6)', span)
    .addHelpText(
      'after',
      `
On a terminal one line is kept up to date; elsewhere each change is a line, with --json a JSON one. The exit code tells how
the job ended: 0 SUCCEEDED, 10 FAILED, 11 CANCELLED, 12 EXPIRED, 13 SKIPPED. Ctrl-C leaves the job alone.

Examples:
  muster watch 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b
  muster watch 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --timeout 10m && echo done`,
    )
    .action(
      handled<Options, [jobId: string]>(async (invocation, { timeout }, jobId) => {
        const connection = await invocation.connection();
        const options = { watch: true, timeout };
        return showEnd(invocation, await follow(invocation, connection, jobId, options), options);
      }),
    );
}
