/** `muster batches retry`: a new batch from the failed members of another one. */
import { randomUUID } from 'node:crypto';
import { BatchSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { countText } from '../../../view/times.ts';
import { CliError } from '../../failures/cli-error.ts';
import { span } from '../../input/spans.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { present } from '../../require-field.ts';
import { waitForBatch } from './wait.ts';

interface Options {
  readonly reason?: string;
  readonly wait?: true;
  readonly timeout?: number;
}

export function addBatchRetry(group: Command): void {
  group
    .command('retry')
    .argument('<batch>', "id of the batch's job")
    .option('--reason <text>', 'why; kept in the audit record')
    .option('--wait', 'wait for the end of the new batch; the exit code says how it ended')
    .option('--timeout <span>', 'with --wait: at most this long; the batch continues (exit code 6)', span)
    .description('Retry the failed members of an ended batch in a new batch')
    .addHelpText(
      'after',
      `
Its members are new jobs for the members that failed, were cancelled or expired. They are created in the background: muster
batches get shows the progress. A batch can be retried once; to retry members that fail again, retry the new batch.

Examples:
  muster batches retry 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --reason 'the mail server is back'
  muster batches retry 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --wait`,
    )
    .action(handled<Options, [string]>(retry));
}

async function retry(invocation: Invocation, options: Options, jobId: string): Promise<number | undefined> {
  const { reason = '', wait, timeout } = options;
  if (timeout !== undefined && !wait) throw new CliError({ message: '--timeout needs --wait' });
  const { batches, namespace } = await invocation.connection();
  const made = present(
    (await batches.retryBatch({ namespace, jobId, reason, requestId: randomUUID() })).batch,
    'batch',
  );
  const newId = made.job?.jobId ?? '';
  const { out } = invocation;
  const text = `Batch ${newId} retries ${countText(Number(made.retry?.failedCount ?? 0), 'member')} of batch ${jobId}`;
  if (wait) {
    out.note(text);
    return waitForBatch(invocation, timeout === undefined ? {} : { timeout }, newId);
  }
  if (out.json) out.message(BatchSchema, made);
  else out.line(`${text}: muster batches wait ${newId} follows it`);
  return undefined;
}
