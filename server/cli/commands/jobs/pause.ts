/** `muster pause` and `muster resume`: pause jobs, by id or by a filter, and resume them. */
import { randomUUID } from 'node:crypto';
import { PausedTimeouts } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { eachJob } from '../../each-job.ts';
import { graceOf } from '../../input/grace.ts';
import { spanUpTo } from '../../input/spans.ts';
import { handled, type Invocation } from '../../invocation.ts';
import {
  addMatchingOptions,
  changeMatching,
  isByFilter,
  type MatchingOptions,
} from '../../matching/change-matching.ts';
import { PAGE_CALL } from '../../matching/job-pages.ts';
import { present } from '../../require-field.ts';

interface PauseOptions extends MatchingOptions {
  readonly reason?: string;
  readonly running?: true;
  readonly grace?: number;
  readonly stopTimeouts?: true;
}

const IDS = 'ids of the jobs; without ids, the jobs that match the filter';

export function addPause(program: Command): void {
  const command = program
    .command('pause')
    .argument('[job...]', IDS)
    .helpGroup('Jobs:')
    .description('Pause jobs; they may still expire. muster queues pause also holds jobs to come')
    .option('--reason <text>', 'why')
    .option('--running', 'also jobs that run, whose attempts do not count; and workflows and batches with their jobs')
    .option(
      '--grace <duration>',
      'with --running: how long handlers may take; default: cancel_grace of the definition',
      spanUpTo('1h'),
    )
    .option('--stop-timeouts', 'stop the total timeout meanwhile; it starts anew when the job is resumed');
  addMatchingOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  muster pause 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --reason 'the shop is closed'
  muster pause 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --running --grace 10s
  muster pause --definition mail --running --reason 'the mail server is moved'`,
    )
    .action(handled(pause));
}

async function pause(invocation: Invocation, options: PauseOptions, jobIds: string[]): Promise<number | undefined> {
  const { reason = '', running = false, grace, stopTimeouts } = options;
  const timeouts = stopTimeouts ? PausedTimeouts.STOP : PausedTimeouts.UNSPECIFIED;
  const fields = { reason, running, timeouts, ...graceOf(grace) };
  if (!isByFilter(jobIds, options, 'pause'))
    return eachJob(invocation, jobIds, async ({ jobs, namespace }, jobId) => {
      const request = { namespace, jobId, ...fields, requestId: randomUUID() };
      return present((await jobs.pauseJob(request)).job, 'job');
    });
  await changeMatching(invocation, options, {
    label: 'pausing',
    done: running ? 'paused or asked to stop' : 'paused',
    planned: running ? 'would be paused or asked to stop' : 'would be paused',
    field: 'paused',
    async call(jobs, page) {
      const { pausedCount, nextPageToken } = await jobs.pauseJobs({ ...page, ...fields }, PAGE_CALL);
      return { count: pausedCount, nextPageToken };
    },
  });
  return undefined;
}

export function addResume(program: Command): void {
  const command = program
    .command('resume')
    .argument('[job...]', IDS)
    .helpGroup('Jobs:')
    .description('Resume paused jobs: at once, or at their run time');
  addMatchingOptions(command)
    .addHelpText(
      'after',
      `
A job that is paused with its workflow or batch is resumed with that, or by its id.

Examples:
  muster resume 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b
  muster resume --definition mail`,
    )
    .action(handled(resume));
}

async function resume(invocation: Invocation, options: MatchingOptions, jobIds: string[]): Promise<number | undefined> {
  if (!isByFilter(jobIds, options, 'resume'))
    return eachJob(invocation, jobIds, async ({ jobs, namespace }, jobId) =>
      present((await jobs.resumeJob({ namespace, jobId, requestId: randomUUID() })).job, 'job'),
    );
  await changeMatching(invocation, options, {
    label: 'resuming',
    done: 'resumed',
    planned: 'would be resumed',
    field: 'resumed',
    async call(jobs, page) {
      const { resumedCount, nextPageToken } = await jobs.resumeJobs(page, PAGE_CALL);
      return { count: resumedCount, nextPageToken };
    },
  });
  return undefined;
}
