/** `muster batches`: many jobs that are submitted and followed as one. */
import { randomUUID } from 'node:crypto';
import { type Batch, BatchSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { CliError } from '../../failures/cli-error.ts';
import { type DefinitionRef, definitionRef } from '../../input/definition-name.ts';
import { label } from '../../input/labels.ts';
import { integer } from '../../input/numbers.ts';
import { readInput } from '../../input/payload-input.ts';
import { span } from '../../input/spans.ts';
import { toSubmission } from '../../input/submission.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { showBatch } from '../../output/batch-view.ts';
import { present } from '../../require-field.ts';
import { addBatchRetry } from './retry.ts';
import { readBatch, waitForBatch } from './wait.ts';

interface CreateOptions {
  readonly label?: Readonly<Record<string, string>>;
  readonly description?: string;
  readonly maxFailed?: number;
  readonly tolerateFailed?: true;
  readonly onEnd?: DefinitionRef;
  readonly onEndInput?: string;
}

export function addBatches(program: Command): void {
  const group = program
    .command('batches')
    .alias('batch')
    .helpGroup('Jobs:')
    .description('Make and follow batches: many jobs that are submitted as one')
    .addHelpText(
      'after',
      `
A batch takes members (muster submit --batch) until it is sealed. It ends when it is sealed and all of them have ended.

Examples:
  BATCH=$(muster batches create --label campaign=may --json | jq -r .job.jobId)
  muster submit mail --input-file mails.ndjson --each-line --batch $BATCH
  muster batches seal $BATCH
  muster batches wait $BATCH
  muster batches retry $BATCH --wait`,
    );
  addCreate(group);
  addOthers(group);
  addBatchRetry(group);
}

function addCreate(group: Command): void {
  group
    .command('create')
    .description('Make an open batch without members')
    .option('-l, --label <key=value>', 'label of the batch; may be repeated', label)
    .option('--description <text>', 'description')
    .option(
      '--max-failed <number>',
      'number of members that may fail; one more stops the batch (default: all run)',
      integer(0),
    )
    .option('--tolerate-failed', 'the batch succeeds even if members fail')
    .option(
      '--on-end <definition>',
      'definition of a job that is submitted when the batch ends, whatever its outcome',
      definitionRef,
    )
    .option('--on-end-input <text>', 'a JSON object for its input; the outcome of the batch is added')
    .addHelpText(
      'after',
      `
Examples:
  muster batches create --max-failed 10 --on-end report
  muster batches create --tolerate-failed --label campaign=may --json | jq -r .job.jobId`,
    )
    .action(handled(create));
}

function addOthers(group: Command): void {
  group
    .command('get')
    .argument('<batch>', "id of the batch's job")
    .description('Show the progress of a batch')
    .addHelpText('after', '\nExample:\n  muster batches get 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --json | jq .counts')
    .action(
      handled<object, [string]>(async (invocation, _options, jobId) => {
        show(invocation, await readBatch(await invocation.connection(), jobId));
      }),
    );
  group
    .command('seal')
    .argument('<batch>', "id of the batch's job")
    .description('Seal a batch: it takes no more members, and ends once all of them have ended')
    .addHelpText('after', '\nExample:\n  muster batches seal 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b')
    .action(
      handled<object, [string]>(async (invocation, _options, jobId) => {
        const { batches, namespace } = await invocation.connection();
        show(
          invocation,
          present((await batches.sealBatch({ namespace, jobId, requestId: randomUUID() })).batch, 'batch'),
        );
      }),
    );
  group
    .command('wait')
    .argument('<batch>', "id of the batch's job")
    .option('--timeout <span>', 'at most this long; the batch continues (exit code 6)', span)
    .description('Wait for the end of a batch; the exit code says how it ended')
    .addHelpText('after', '\nExample:\n  muster batches wait 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --timeout 1h')
    .action(handled<{ timeout?: number }, [string]>(waitForBatch));
  group
    .command('cancel')
    .argument('<batch>', "id of the batch's job")
    .option('--reason <text>', 'why; kept with the jobs')
    .description('Cancel a batch and its open members')
    .addHelpText(
      'after',
      "\nExample:\n  muster batches cancel 019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b --reason 'wrong list'",
    )
    .action(handled<{ reason?: string }, [string]>(cancel));
}

function show({ out }: Invocation, batch: Batch): void {
  if (out.json) out.message(BatchSchema, batch);
  else showBatch(out, batch);
}

async function create(invocation: Invocation, options: CreateOptions): Promise<void> {
  const { label: labels = {}, description = '', maxFailed, tolerateFailed = false } = options;
  const batch = {
    labels: { ...labels },
    description,
    tolerateFailed,
    ...(maxFailed === undefined ? {} : { maxFailed: BigInt(maxFailed) }),
    ...(await callbackOf(invocation, options)),
  };
  const { batches, namespace } = await invocation.connection();
  const made = present((await batches.createBatch({ namespace, batch, requestId: randomUUID() })).batch, 'batch');
  if (invocation.out.json) return invocation.out.message(BatchSchema, made);
  const id = made.job?.jobId;
  invocation.out.line(
    `Batch ${id} is open: muster submit NAME --batch ${id} adds to it, muster batches seal ${id} ends that`,
  );
}

async function callbackOf(invocation: Invocation, { onEnd, onEndInput }: CreateOptions) {
  if (!onEnd) {
    if (onEndInput !== undefined) throw new CliError({ message: '--on-end-input needs --on-end' });
    return {};
  }
  const callback = toSubmission(onEnd, {});
  const input = await readInput(invocation.process, onEndInput === undefined ? {} : { input: onEndInput });
  return { callback: input === undefined ? callback : { ...callback, input } };
}

async function cancel(invocation: Invocation, { reason = '' }: { reason?: string }, jobId: string): Promise<void> {
  const connection = await invocation.connection();
  const { jobs, namespace } = connection;
  await readBatch(connection, jobId);
  await jobs.cancelJob({ namespace, jobId, reason, requestId: randomUUID() });
  show(invocation, await readBatch(connection, jobId));
}
