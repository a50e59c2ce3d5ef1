/** `muster redrive`: retries all jobs of a filter that ended without success. */
import { randomUUID } from 'node:crypto';
import type { RetryJobsResponse } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { countText } from '../../../view/times.ts';
import type { Connection } from '../../connection.ts';
import { addFailureType, addFilterOptions, type FilterOptions, toJobFilter } from '../../input/job-filter.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { PAGE_CALL, pagesOf, refuseUnsaid } from '../../matching/job-pages.ts';
import { ProgressBar } from '../../output/progress.ts';

interface Options extends FilterOptions {
  readonly all?: true;
  readonly dryRun?: true;
}

export function addRedrive(program: Command): void {
  const command = program
    .command('redrive')
    .helpGroup('Jobs:')
    .description('Retry all jobs that ended FAILED or EXPIRED and match the filter, as new jobs');
  addFailureType(addFilterOptions(command))
    .option('--all', 'every one of the namespace')
    .option('--dry-run', 'only show which jobs would be retried')
    .addHelpText(
      'after',
      `
A job that was already retried is skipped, so an interrupted redrive can simply be started again. --state also accepts
CANCELLED and SKIPPED. Each new job is printed with the one that it retries.

Examples:
  muster redrive --definition mail --failure-type SmtpError --since 1d --dry-run
  muster redrive --definition mail --failure-type SmtpError --since 1d`,
    )
    .action(handled(redrive));
}

async function redrive(invocation: Invocation, options: Options): Promise<void> {
  refuseUnsaid(options, 'redrive');
  const { out } = invocation;
  const connection = await invocation.connection();
  // Counting takes a pass of its own: only if the bar is shown.
  const total = out.stderr.isTTY && !options.dryRun ? await count(connection, options) : 0;
  const bar = new ProgressBar(out, 'redriving', total);
  let [retried, skipped] = [0, 0];
  try {
    for await (const page of retryPages(connection, options, options.dryRun ?? false)) {
      retried += page.retriedJobIds.length;
      skipped += page.skippedCount;
      bar.advance(page.retriedJobIds.length);
      if (out.json || !out.stdout.isTTY || options.dryRun) showPage(invocation, page);
    }
  } finally {
    bar.stop();
  }
  const passed = skipped === 0 ? '' : `; ${skipped} passed over: retried already, erased, or of an archived definition`;
  out.note(`${countText(retried, 'job')} ${options.dryRun ? 'would be retried' : 'retried'}${passed}`);
}

function retryPages(
  connection: Connection,
  options: Options,
  validateOnly: boolean,
): AsyncGenerator<RetryJobsResponse> {
  const { jobs, namespace } = connection;
  const filter = toJobFilter(options);
  return pagesOf((pageToken) =>
    jobs.retryJobs({ namespace, filter, pageToken, validateOnly, requestId: randomUUID() }, PAGE_CALL),
  );
}

async function count(connection: Connection, options: Options): Promise<number> {
  let total = 0;
  for await (const page of retryPages(connection, options, true)) total += page.retriedJobIds.length;
  return total;
}

function showPage({ out }: Invocation, { jobIds, retriedJobIds }: RetryJobsResponse): void {
  retriedJobIds.forEach((retryOf, at) => {
    const jobId = jobIds[at];
    if (out.json) out.item({ ...(jobId === undefined ? {} : { jobId }), retryOf });
    else out.line(jobId === undefined ? retryOf : `${jobId}  retries ${retryOf}`);
  });
}
