/** `muster list`: jobs by a filter, newest first. */
import { type Job, JobSchema, JobState, stateName } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { jobRemark } from '../../../view/state-words.ts';
import type { Connection } from '../../connection.ts';
import { CliError } from '../../failures/cli-error.ts';
import { addFailureType, addFilterOptions, type FilterOptions, toJobFilter } from '../../input/job-filter.ts';
import { integer } from '../../input/numbers.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { styledState } from '../../output/states.ts';
import { type Column, Table } from '../../output/table.ts';
import { ageText } from '../../output/times.ts';

const DEFAULT_LIMIT = 50;
const MAX_PAGE = 1_000;
/** Terminal width from which the queue column is shown. */
const WIDE = 120;
/** A failure's message may have thousands of characters: `muster get` and `--json` show all of it. */
const MAX_REMARK = 120;
const DEAD = [JobState.FAILED, JobState.EXPIRED];

interface Options extends FilterOptions {
  readonly deadLetters?: true;
  readonly parent?: string;
  readonly limit?: number;
  readonly all?: true;
}

export function addList(program: Command): void {
  const command = program.command('list').helpGroup('Jobs:').description('List jobs, newest first');
  addFailureType(addFilterOptions(command))
    .option('--dead-letters', 'only jobs that ended FAILED or EXPIRED: what muster redrive takes')
    .option('--parent <job>', 'only jobs of the steps of this workflow, by the id of its job')
    .option('--limit <number>', `at most this many (default: ${DEFAULT_LIMIT})`, integer(1))
    .option('--all', 'all of them')
    .addHelpText(
      'after',
      `
Examples:
  muster list
  muster list --state READY,RUNNING --queue mails
  muster list --parent 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --state FAILED
  muster list --late --definition nightly-report
  muster list --dead-letters --since 1d --failure-type SmtpError
  muster list --label campaign=may --all --json | jq -r .jobId`,
    )
    .action(handled(list));
}

async function list(invocation: Invocation, options: Options): Promise<void> {
  if (options.all && options.limit !== undefined) throw new CliError({ message: 'give either --limit or --all' });
  if (options.deadLetters && options.state) throw new CliError({ message: 'give either --dead-letters or --state' });
  const limit = options.all ? Number.POSITIVE_INFINITY : (options.limit ?? DEFAULT_LIMIT);
  const connection = await invocation.connection();
  const { out } = invocation;
  const table = new Table(columnsFor(invocation), out.width);
  let shown = 0;
  for await (const page of pages(connection, options.deadLetters ? { ...options, state: DEAD } : options, limit)) {
    const jobs = page.slice(0, limit - shown);
    if (out.json) for (const job of jobs) out.messageItem(JobSchema, job);
    else for (const line of table.lines(jobs)) out.line(line);
    shown += jobs.length;
    if (page.length > jobs.length) out.note(`There are more: --limit NUMBER or --all shows them`);
  }
  if (shown === 0 && !out.json)
    out.note(`No jobs${connection.namespace ? ` in namespace ${connection.namespace}` : ''} match`);
}

/** Reads pages until there is one job more than the limit, which shows that there are more. */
async function* pages(connection: Connection, options: Options, limit: number): AsyncGenerator<Job[]> {
  const filter = { ...toJobFilter(options), parentJobId: options.parent ?? '' };
  let left = limit + 1;
  for (let pageToken = ''; ; ) {
    const pageSize = Math.min(left, MAX_PAGE);
    const { namespace } = connection;
    const page = await connection.jobs.listJobs({ namespace, pageSize, pageToken, filter });
    if (page.jobs.length > 0) yield page.jobs;
    left -= page.jobs.length;
    pageToken = page.nextPageToken;
    if (pageToken === '' || left <= 0) return;
  }
}

function columnsFor({ out }: Invocation): Column<Job>[] {
  const queue: Column<Job>[] = out.width >= WIDE ? [{ title: 'QUEUE', value: (job) => job.queue, min: 8 }] : [];
  return [
    { title: 'JOB', value: ({ jobId }) => jobId },
    {
      title: 'STATE',
      value: ({ state }) => stateName(state),
      style: (text, { state }) => styledState(out, state, text),
    },
    { title: 'DEFINITION', value: (job) => `${job.definition}@${job.definitionVersion}`, min: 8 },
    ...queue,
    { title: 'AGE', value: ({ createTime }) => ageText(createTime) },
    { title: 'TRIES', value: ({ attemptCount }) => (attemptCount === 0 ? '' : String(attemptCount)) },
    { title: 'REMARK', value: jobRemark, min: 6, max: MAX_REMARK },
  ];
}
