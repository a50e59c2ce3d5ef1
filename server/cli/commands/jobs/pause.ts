/** `muster pause` and `muster resume`: pause a waiting job, and resume it. */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { eachJob } from '../../each-job.ts';
import { handled } from '../../invocation.ts';
import { present } from '../../require-field.ts';

interface PauseOptions {
  readonly reason?: string;
}

export function addPause(program: Command): void {
  program
    .command('pause')
    .argument('<job...>', 'ids of the jobs')
    .helpGroup('Jobs:')
    .description('Pause waiting jobs; they may still expire. muster queues pause pauses a whole queue')
    .option('--reason <text>', 'why')
    .addHelpText(
      'after',
      "\nExample:\n  muster pause 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --reason 'the shop is closed'",
    )
    .action(
      handled<PauseOptions, [jobIds: string[]]>((invocation, { reason = '' }, jobIds) =>
        eachJob(invocation, jobIds, async ({ jobs, namespace }, jobId) =>
          present((await jobs.pauseJob({ namespace, jobId, reason, requestId: randomUUID() })).job, 'job'),
        ),
      ),
    );
}

export function addResume(program: Command): void {
  program
    .command('resume')
    .argument('<job...>', 'ids of the jobs')
    .helpGroup('Jobs:')
    .description('Resume paused jobs: at once, or at their run time')
    .addHelpText('after', '\nExample:\n  muster resume 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b')
    .action(
      handled<object, [jobIds: string[]]>((invocation, _options, jobIds) =>
        eachJob(invocation, jobIds, async ({ jobs, namespace }, jobId) =>
          present((await jobs.resumeJob({ namespace, jobId, requestId: randomUUID() })).job, 'job'),
        ),
      ),
    );
}
