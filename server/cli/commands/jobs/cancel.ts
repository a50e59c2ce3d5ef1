/** `muster cancel`: cancels jobs, by id or by a filter. */
import { randomUUID } from 'node:crypto';
import { type CancelJobsResponse, isTerminal, type Job } from '@muster/sdk/grpc';
import type { Command } from 'commander';
import { countText } from '../../../view/times.ts';
import type { Connection } from '../../connection.ts';
import { eachJob } from '../../each-job.ts';
import { CliError } from '../../failures/cli-error.ts';
import { follow } from '../../follow.ts';
import { addFilterOptions, type FilterOptions, isEmptyFilter, toJobFilter } from '../../input/job-filter.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { PAGE_CALL, pagesOf, refuseUnsaid } from '../../job-pages.ts';
import { ProgressBar } from '../../output/progress.ts';
import { present } from '../../require-field.ts';

interface Options extends FilterOptions {
  readonly reason?: string;
  readonly wait?: true;
  readonly all?: true;
  readonly dryRun?: true;
}

export function addCancel(program: Command): void {
  const command = program
    .command('cancel')
    .argument('[job...]', 'ids of the jobs; without ids, the jobs that match the filter')
    .helpGroup('Jobs:')
    .description('Cancel jobs: running attempts are asked to stop, and no new one starts')
    .option('--reason <text>', 'why; kept with the jobs')
    .option('--wait', 'wait until they have ended');
  addFilterOptions(command)
    .option('--all', 'every open job of the namespace')
    .option('--dry-run', 'with a filter: only count the jobs')
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
  const { all, dryRun, reason = '', wait, ...filter } = options;
  if (jobIds.length === 0) {
    refuseUnsaid({ ...filter, ...(all ? { all } : {}) }, 'cancel');
    if (wait) throw new CliError({ message: '--wait goes with ids of jobs, not with a filter' });
    await cancelMatching(invocation, options);
    return undefined;
  }
  if (all || dryRun || !isEmptyFilter(filter)) throw new CliError({ message: 'give either ids of jobs or a filter' });
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

async function cancelMatching(invocation: Invocation, options: Options): Promise<void> {
  const { out } = invocation;
  const connection = await invocation.connection();
  const total = out.stderr.isTTY && !options.dryRun ? await count(connection, options) : 0;
  const bar = new ProgressBar(out, 'cancelling', total);
  let cancelled = 0;
  try {
    for await (const page of cancelPages(connection, options, options.dryRun ?? false)) {
      cancelled += page.cancelledCount;
      bar.advance(page.cancelledCount);
    }
  } finally {
    bar.stop();
  }
  if (out.json) out.document({ cancelled });
  else
    out.line(
      `${countText(cancelled, 'job')} ${options.dryRun ? 'would be asked to stop' : 'cancelled or asked to stop'}`,
    );
}

function cancelPages(
  connection: Connection,
  options: Options,
  validateOnly: boolean,
): AsyncGenerator<CancelJobsResponse> {
  const { jobs, namespace } = connection;
  const filter = toJobFilter(options);
  const reason = options.reason ?? '';
  return pagesOf((pageToken) => jobs.cancelJobs({ namespace, filter, reason, pageToken, validateOnly }, PAGE_CALL));
}

async function count(connection: Connection, options: Options): Promise<number> {
  let total = 0;
  for await (const page of cancelPages(connection, options, true)) total += page.cancelledCount;
  return total;
}
