/** `muster logs`: what the handlers of a job have written. */
import { setTimeout as delay } from 'node:timers/promises';
import { Code, type ListAttemptLogsResponse, LogRecordSchema, MusterError } from '@muster/sdk/grpc';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { Connection } from '../connection.ts';
import { levels, meetsLevel } from '../input/log-level.ts';
import { integer } from '../input/numbers.ts';
import { handled, type Invocation } from '../invocation.ts';
import { LogView } from '../output/log-view.ts';

const PAGE_SIZE = 1_000;
const LOOK_MS = 500;
/** A server that restarts is waited for this long. */
const PATIENCE_MS = 60_000;

interface Options {
  readonly attempt?: number;
  readonly follow?: true;
  readonly level?: string;
}

export function addLogs(program: Command): void {
  program
    .command('logs')
    .argument('<job>', 'id of the job')
    .helpGroup('Jobs:')
    .description('Show what the handlers of a job have logged, attempt by attempt')
    .option('--attempt <number>', 'only of this attempt', integer(1, 2 ** 31 - 1))
    .option('-f, --follow', 'go on until the job has ended')
    .option('--level <level>', `only what is as grave as that, or graver: ${levels.join(', ')}`)
    .addHelpText(
      'after',
      `
The newest 64 KiB of each attempt are kept, for as long as the job. A record is here about a second after it was written.

Examples:
  muster logs 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --follow
  muster logs 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --attempt 2 --level warn
  muster logs 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --json | jq -r .message`,
    )
    .action(handled<Options, [jobId: string]>(logs));
}

async function logs(invocation: Invocation, options: Options, jobId: string): Promise<void> {
  const { out } = invocation;
  if (options.level !== undefined && !levels.includes(options.level))
    throw new CliError({
      message: `--level: "${options.level}" is no level`,
      next: `it is one of ${levels.join(', ')}`,
    });
  const view = new LogView(out);
  let shown = 0;
  for await (const { records } of pages(invocation, await invocation.connection(), jobId, options)) {
    for (const record of records.filter(({ level }) => meetsLevel(level, options.level))) {
      if (out.json) out.messageItem(LogRecordSchema, record);
      else view.show(record);
      shown += 1;
    }
  }
  if (shown === 0 && !out.json) out.note('Nothing was logged.');
}

/** Pages to the end of what there is, or of the job. */
async function* pages(
  { signal }: Invocation,
  connection: Connection,
  jobId: string,
  { attempt = 0, follow }: Options,
): AsyncGenerator<ListAttemptLogsResponse> {
  const { namespace, jobs } = connection;
  let deadline = 0;
  for (let pageToken = ''; ; ) {
    let page: ListAttemptLogsResponse;
    try {
      page = await jobs.listAttemptLogs({ namespace, jobId, attempt, pageToken, pageSize: PAGE_SIZE });
    } catch (error) {
      const broke = error instanceof MusterError && error.code === Code.UNAVAILABLE;
      if (!follow || !broke || performance.now() >= deadline) throw error;
      await delay(LOOK_MS, undefined, { signal });
      continue;
    }
    deadline = performance.now() + PATIENCE_MS;
    yield page;
    const more = page.nextPageToken !== '';
    if (!more && (page.ended || !follow)) return;
    pageToken = page.nextPageToken || page.resumeToken;
    if (!more) await delay(LOOK_MS, undefined, { signal });
  }
}
