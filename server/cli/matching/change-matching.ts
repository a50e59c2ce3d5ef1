/** Changes all jobs that match a filter, page by page; and the choice between ids of jobs and a filter. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { JobFilterSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { countText } from '../../view/times.ts';
import type { Connection } from '../connection.ts';
import { CliError } from '../failures/cli-error.ts';
import { addFilterOptions, type FilterOptions, isEmptyFilter, toJobFilter } from '../input/job-filter.ts';
import type { Invocation } from '../invocation.ts';
import { ProgressBar } from '../output/progress.ts';
import { pagesOf, refuseUnsaid } from './job-pages.ts';

export interface MatchingOptions extends FilterOptions {
  readonly all?: true;
  readonly dryRun?: true;
}

export interface MatchingPage {
  readonly namespace: string;
  readonly filter: MessageInitShape<typeof JobFilterSchema>;
  readonly pageToken: string;
  readonly validateOnly: boolean;
}

export interface MatchingChange {
  /** What the bar says, such as "cancelling". */
  readonly label: string;
  /** What became of the jobs, and what would. */
  readonly done: string;
  readonly planned: string;
  /** The count's name in JSON. */
  readonly field: string;
  readonly call: (
    jobs: Connection['jobs'],
    page: MatchingPage,
  ) => Promise<{ readonly count: number; readonly nextPageToken: string }>;
}

export function addMatchingOptions(command: Command): Command {
  return addFilterOptions(command)
    .option('--all', 'every open job of the namespace')
    .option('--dry-run', 'with a filter: only count the jobs');
}

/**
 * @param what The command.
 * @throws CliError if both ids and a filter were given, or none of them.
 */
export function isByFilter(jobIds: readonly string[], options: MatchingOptions, what: string): boolean {
  const { all, dryRun } = options;
  if (jobIds.length === 0) {
    refuseUnsaid(options, what);
    return true;
  }
  if (all || dryRun || !isEmptyFilter(options)) throw new CliError({ message: 'give either ids of jobs or a filter' });
  return false;
}

export async function changeMatching(
  invocation: Invocation,
  options: MatchingOptions,
  change: MatchingChange,
): Promise<void> {
  const { out } = invocation;
  const { dryRun = false } = options;
  const connection = await invocation.connection();
  // Counting takes a pass of its own: only if the bar is shown.
  const total = out.stderr.isTTY && !dryRun ? await sum(countsOf(connection, options, change, true)) : 0;
  const bar = new ProgressBar(out, change.label, total);
  let changed = 0;
  try {
    for await (const count of countsOf(connection, options, change, dryRun)) {
      changed += count;
      bar.advance(count);
    }
  } finally {
    bar.stop();
  }
  if (out.json) out.document({ [change.field]: changed });
  else out.line(`${countText(changed, 'job')} ${dryRun ? change.planned : change.done}`);
}

async function* countsOf(
  { jobs, namespace }: Connection,
  options: MatchingOptions,
  { call }: MatchingChange,
  validateOnly: boolean,
): AsyncGenerator<number> {
  const filter = toJobFilter(options);
  for await (const { count } of pagesOf((pageToken) => call(jobs, { namespace, filter, pageToken, validateOnly })))
    yield count;
}

async function sum(counts: AsyncIterable<number>): Promise<number> {
  let total = 0;
  for await (const count of counts) total += count;
  return total;
}
