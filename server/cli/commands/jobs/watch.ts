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
    .description('Follow a job until it ends: state, progress and outcome')
    .option('--timeout <span>', 'watch at most this long; the job continues (exit code 6)', span)
    .addHelpText(
      'after',
      `
On a terminal one line is updated; elsewhere each change is a line, with --json as JSON. The exit code says how the job
ended: 0 SUCCEEDED, 10 FAILED, 11 CANCELLED, 12 EXPIRED, 13 SKIPPED. Ctrl-C does not affect the job.

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
