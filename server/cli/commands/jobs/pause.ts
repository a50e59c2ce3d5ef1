/** `muster pause` and `muster resume`: pause a job, and resume it. */
import { randomUUID } from 'node:crypto';
import { durationFromMs, PausedTimeouts } from '@muster/sdk/grpc';
import type { Command } from 'commander';
import { eachJob } from '../../each-job.ts';
import { spanUpTo } from '../../input/spans.ts';
import { handled } from '../../invocation.ts';
import { present } from '../../require-field.ts';

interface PauseOptions {
  readonly reason?: string;
  readonly running?: true;
  readonly grace?: number;
  readonly stopTimeouts?: true;
}

export function addPause(program: Command): void {
  program
    .command('pause')
    .argument('<job...>', 'ids of the jobs')
    .helpGroup('Jobs:')
    .description('Pause jobs; they may still expire. muster queues pause pauses a whole queue')
    .option('--reason <text>', 'why')
    .option('--running', 'also a job that runs: its handler is asked to stop, and the attempt does not count')
    .option(
      '--grace <duration>',
      'with --running: how long the handler may take; default: cancel_grace of the definition',
      spanUpTo('1h'),
    )
    .option('--stop-timeouts', 'stop the total timeout meanwhile; it starts anew when the job is resumed')
    .addHelpText(
      'after',
      `
Examples:
  muster pause 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --reason 'the shop is closed'
  muster pause 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --running --grace 10s`,
    )
    .action(
      handled<PauseOptions, [jobIds: string[]]>((invocation, options, jobIds) =>
        eachJob(invocation, jobIds, async ({ jobs, namespace }, jobId) => {
          const { reason = '', running = false, grace, stopTimeouts } = options;
          const timeouts = stopTimeouts ? PausedTimeouts.STOP : PausedTimeouts.UNSPECIFIED;
          const wait = grace === undefined ? {} : { grace: durationFromMs(grace) };
          const request = { namespace, jobId, reason, running, timeouts, ...wait };
          return present((await jobs.pauseJob({ ...request, requestId: randomUUID() })).job, 'job');
        }),
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
