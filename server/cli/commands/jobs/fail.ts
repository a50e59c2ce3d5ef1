/** `muster fail`: ends paused jobs with their last failure. */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { eachJob } from '../../each-job.ts';
import { handled } from '../../invocation.ts';
import { present } from '../../require-field.ts';

interface Options {
  readonly reason?: string;
}

export function addFail(program: Command): void {
  program
    .command('fail')
    .argument('<job...>', 'ids of the jobs')
    .helpGroup('Jobs:')
    .description('End jobs that are PAUSED after a failed attempt: FAILED, with that failure')
    .option('--reason <text>', 'why')
    .addHelpText(
      'after',
      `
A retry policy pauses a job instead of failing it with on_exhaustion, or by a rule. muster resume gives such a job
another attempt. muster cancel ends any other one.

Examples:
  muster list --state PAUSED
  muster fail 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --reason 'the customer has left'`,
    )
    .action(
      handled<Options, [jobIds: string[]]>((invocation, { reason = '' }, jobIds) =>
        eachJob(invocation, jobIds, async ({ jobs, namespace }, jobId) => {
          const request = { namespace, jobId, reason, requestId: randomUUID() };
          return present((await jobs.failJob(request)).job, 'job');
        }),
      ),
    );
}
