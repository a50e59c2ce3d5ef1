/** `muster submit`: stores one job or many, and follows a job on request. */
import { randomUUID } from 'node:crypto';
import { SubmitJobResponseSchema } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { CliError } from '../../failures/cli-error.ts';
import { type FollowOptions, follow, showEnd } from '../../follow.ts';
import { type DefinitionRef, definitionRef } from '../../input/definition-name.ts';
import { type InputOptions, readInput } from '../../input/payload-input.ts';
import { span } from '../../input/spans.ts';
import { addSubmissionOptions, type SubmissionOptions, toSubmission } from '../../input/submission.ts';
import { handled, type Invocation } from '../../invocation.ts';
import { submitLines } from '../../submit-lines.ts';

interface Options extends SubmissionOptions, InputOptions {
  readonly eachLine?: true;
  readonly batch?: string;
  readonly wait?: true;
  readonly watch?: true;
  readonly timeout?: number;
}

export function addSubmit(program: Command): void {
  const command = program
    .command('submit')
    .argument('<definition>', 'NAME or NAME@VERSION of the definition; without a version, its newest', definitionRef)
    .helpGroup('Jobs:')
    .description('Submit a job; once the command answers, the job is stored durably')
    .option('--input <text>', 'the input, JSON unless --content-type says otherwise')
    .option('--input-file <file>', 'the input from a file; - is stdin')
    .option('--content-type <type>', 'media type of the input (default: by its name, JSON for --input and stdin)')
    .option('--each-line', 'a job for each line of --input-file')
    .option('--batch <job>', 'the open batch to add the jobs to; muster batches create makes one')
    .option('--wait', "wait for the job's end and show the outcome; the exit code says how it ended")
    .option('--watch', 'the same, and show its progress')
    .option('--timeout <span>', 'with --wait or --watch: at most this long; the job continues (exit code 6)', span);
  addSubmissionOptions(command)
    .addHelpText(
      'after',
      `
Any of --demand, --require, --require-that and --prefer replaces ALL demands of the definition on a worker: repeat those that
still apply. Without them the definition's demands apply; --sticky does not change them.

Examples:
  muster submit add --input '{"a": 2, "b": 3}' --wait
  muster submit render@3 --input-file scene.bin --content-type application/x-scene --watch
  echo '{"to": "ann@example.com"}' | muster submit mail --input-file - --delay 10m
  muster submit report --fairness-key acme
  muster submit report --after 0198c0de-0000-7000-8000-000000000001 --after-asset sales
  muster submit report --idempotency-key report-2026-05 --on-conflict replace
  muster submit mail --input-file mails.ndjson --each-line --label campaign=may
  muster submit mail --input-file mails.ndjson --each-line --batch 0198c0de-0000-7000-8000-000000000001
  muster submit train --demand gpu=1 --demand memory=4Gi --prefer 'has(labels.ssd)'
  muster submit train --sticky 0198c0de-0000-7000-8000-000000000001
  JOB=$(muster submit add --input '{"a": 2, "b": 3}' --json | jq -r .jobId)`,
    )
    .action(handled(submit));
}

async function submit(
  invocation: Invocation,
  options: Options,
  definition: DefinitionRef,
): Promise<number | undefined> {
  const { wait, watch, timeout, eachLine } = options;
  const following = wait || watch;
  if (timeout !== undefined && !following) throw new CliError({ message: '--timeout needs --wait or --watch' });
  if (eachLine) {
    if (following) throw new CliError({ message: '--each-line submits many jobs: it goes without --wait and --watch' });
    await submitLines(invocation, definition, options);
    return undefined;
  }
  return submitOne(invocation, options, definition, following ? { watch: watch ?? false, timeout } : undefined);
}

async function submitOne(
  invocation: Invocation,
  options: Options,
  definition: DefinitionRef,
  following: FollowOptions | undefined,
): Promise<number | undefined> {
  const { out } = invocation;
  const input = await readInput(invocation.process, options);
  const job = toSubmission(definition, options);
  if (input !== undefined) job.input = input;
  const connection = await invocation.connection();
  const response = await connection.jobs.submitJob({
    namespace: connection.namespace,
    job,
    requestId: randomUUID(),
    batchJobId: options.batch ?? '',
  });
  if (following === undefined) {
    if (out.json) out.message(SubmitJobResponseSchema, response);
    else out.line(`Job ${response.jobId} ${response.existing ? 'was there already' : 'is stored'}`);
    return undefined;
  }
  if (!out.json)
    out.note(`Job ${response.jobId} ${response.existing ? 'was there already' : 'is stored'}; Ctrl-C leaves it alone`);
  return showEnd(invocation, await follow(invocation, connection, response.jobId, following), following);
}
