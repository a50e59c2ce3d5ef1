/** `muster logs`: the log of a job's handlers. */
import { LogRecordSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { followedLogs, keptLogs } from '../../attempt-logs.ts';
import { CliError } from '../../failures/cli-error.ts';
import { levels, meetsLevel } from '../../input/log-level.ts';
import { integer } from '../../input/numbers.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { LogView } from '../../output/log-view.ts';

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
    .option('-f, --follow', 'show new records as they arrive, until the job, or the attempt, has ended')
    .option('--level <level>', `only records of at least this level: ${levels.join(', ')}`)
    .addHelpText(
      'after',
      `
The newest 64 KiB of each attempt are kept as long as the job. A heading marks each attempt, a line marks missing records; with
--json each record is a line, with its attempt. Ctrl-C does not affect the job.

Examples:
  muster logs 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --follow
  muster logs 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --attempt 2 --level warn
  muster logs 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --json | jq -r .message`,
    )
    .action(handled<Options, [jobId: string]>(logs));
}

async function logs(invocation: Invocation, { attempt = 0, follow, level }: Options, jobId: string): Promise<void> {
  const { out, signal } = invocation;
  if (level !== undefined && !levels.includes(level))
    throw new CliError({ message: `--level: "${level}" is no level`, next: `it is one of ${levels.join(', ')}` });
  const connection = await invocation.connection();
  const asked = { jobId, attempt };
  const view = new LogView(out);
  let shown = 0;
  for await (const record of follow ? followedLogs(connection, asked, signal) : keptLogs(connection, asked)) {
    if (!meetsLevel(record.level, level)) continue;
    if (out.json) out.messageItem(LogRecordSchema, record);
    else view.show(record);
    shown += 1;
  }
  if (shown === 0 && !out.json) out.note('Nothing was logged.');
}
