/** `muster cancel`: cancels jobs, by id or by a filter. */
import { randomUUID } from 'node:crypto';
import { isTerminal, type Job } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import type { Connection } from '../../connection.ts';
import { eachJob } from '../../each-job.ts';
import { CliError } from '../../failures/cli-error.ts';
import { follow } from '../../follow.ts';
import { graceOf } from '../../input/grace.ts';
import { spanUpTo } from '../../input/spans.ts';
import { refuseBoth } from '../../input/submission.ts';
import { handled, type Invocation } from '../../invocation.ts';
import {
  addMatchingOptions,
  changeMatching,
  isByFilter,
  type MatchingOptions,
} from '../../matching/change-matching.ts';
import { PAGE_CALL } from '../../matching/job-pages.ts';
import { present } from '../../require-field.ts';

interface Options extends MatchingOptions {
  readonly reason?: string;
  readonly wait?: true;
  readonly now?: true;
  readonly grace?: number;
}

export function addCancel(program: Command): void {
  const command = program
    .command('cancel')
    .argument('[job...]', 'ids of the jobs; without ids, the jobs that match the filter')
    .helpGroup('Jobs:')
    .description('Cancel jobs: running attempts are asked to stop, and no new one starts')
    .option('--reason <text>', 'why; kept with the jobs')
    .option('--grace <duration>', 'how long handlers may take; default: cancel_grace of the definition', spanUpTo('1h'))
    .option('--now', 'do not wait for handlers: the same as --grace 0s')
    .option('--wait', 'wait until they have ended');
  addMatchingOptions(command)
    .addHelpText(
      'after',
      `
A waiting job is CANCELLED at once. A running job is CANCELLING until its handler has stopped, or the grace period of its
definition has passed. With --now it is CANCELLED at once too: its handler is asked to stop, and what it reports is refused.

Examples:
  muster cancel 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --reason 'wrong input' --wait
  muster cancel 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --now
  muster cancel --definition mail --label campaign=may --dry-run
  muster cancel --definition mail --label campaign=may`,
    )
    .action(handled(cancel));
}

async function cancel(invocation: Invocation, options: Options, jobIds: string[]): Promise<number | undefined> {
  refuseBoth(options, 'now', 'grace');
  const { reason = '', wait, now, grace = now ? 0 : undefined } = options;
  if (isByFilter(jobIds, options, 'cancel')) {
    const wrong = wait ? '--wait' : now ? '--now' : grace === undefined ? undefined : '--grace';
    if (wrong) throw new CliError({ message: `${wrong} goes with ids of jobs, not with a filter` });
    await changeMatching(invocation, options, {
      label: 'cancelling',
      done: 'cancelled or asked to stop',
      planned: 'would be asked to stop',
      field: 'cancelled',
      async call(jobs, page) {
        const { cancelledCount, nextPageToken } = await jobs.cancelJobs({ ...page, reason }, PAGE_CALL);
        return { count: cancelledCount, nextPageToken };
      },
    });
    return undefined;
  }
  return eachJob(invocation, jobIds, async (connection, jobId) => {
    const { jobs, namespace } = connection;
    const request = { namespace, jobId, reason, ...graceOf(grace), requestId: randomUUID() };
    const job = present((await jobs.cancelJob(request)).job, 'job');
    return wait ? ended(invocation, connection, job) : job;
  });
}

async function ended(invocation: Invocation, connection: Connection, job: Job): Promise<Job> {
  if (isTerminal(job.state)) return job;
  return (await follow(invocation, connection, job.jobId, { watch: false })) ?? job;
}
