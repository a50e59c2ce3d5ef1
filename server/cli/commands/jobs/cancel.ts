/** `muster cancel`: cancels jobs, by id or by a filter. */
import { randomUUID } from 'node:crypto';
import { isTerminal, type Job } from '@muster/sdk/grpc';
import type { Command } from 'commander';
import type { Connection } from '../../connection.ts';
import { eachJob } from '../../each-job.ts';
import { CliError } from '../../failures/cli-error.ts';
import { follow } from '../../follow.ts';
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
}

export function addCancel(program: Command): void {
  const command = program
    .command('cancel')
    .argument('[job...]', 'ids of the jobs; without ids, the jobs that match the filter')
    .helpGroup('Jobs:')
    .description('Cancel jobs: running attempts are asked to stop, and no new one starts')
    .option('--reason <text>', 'why; kept with the jobs')
    .option('--wait', 'wait until they have ended');
  addMatchingOptions(command)
    .addHelpText(
      'after',
      `
A waiting job is CANCELLED at once. A running job is CANCELLING until its handler has stopped, or the grace period of its
definition has passed.

Examples:
  muster cancel 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --reason 'wrong input' --wait
  muster cancel --definition mail --label campaign=may --dry-run
  muster cancel --definition mail --label campaign=may`,
    )
    .action(handled(cancel));
}

async function cancel(invocation: Invocation, options: Options, jobIds: string[]): Promise<number | undefined> {
  const { reason = '', wait } = options;
  if (isByFilter(jobIds, options, 'cancel')) {
    if (wait) throw new CliError({ message: '--wait goes with ids of jobs, not with a filter' });
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
    const job = present((await jobs.cancelJob({ namespace, jobId, reason, requestId: randomUUID() })).job, 'job');
    return wait ? ended(invocation, connection, job) : job;
  });
}

async function ended(invocation: Invocation, connection: Connection, job: Job): Promise<Job> {
  if (isTerminal(job.state)) return job;
  return (await follow(invocation, connection, job.jobId, { watch: false })) ?? job;
}
