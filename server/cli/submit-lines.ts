/** Submits a job for each line of a file, in batches, with a progress bar. */
import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type JobSubmission, MusterError, SubmissionResultSchema } from '@muster-jobs/sdk/grpc';
import { countText } from '../view/times.ts';
import { type CommandProcess, pathOf } from './command-process.ts';
import type { Connection } from './connection.ts';
import { CliError } from './failures/cli-error.ts';
import { renameFields } from './failures/refusals.ts';
import type { DefinitionRef } from './input/definition-name.ts';
import { type InputOptions, nameOf, openInput, payloadOf, typeByName, unreadable } from './input/payload-input.ts';
import { type SubmissionOptions, toSubmission } from './input/submission.ts';
import type { Invocation } from './invocation.ts';
import { ProgressBar } from './output/progress.ts';

const MAX_JOBS = 1_000;
const MAX_BYTES = 1024 * 1024;

interface Line {
  readonly number: number;
  readonly text: string;
}

type Options = SubmissionOptions & InputOptions & { readonly batch?: string };

export async function submitLines(invocation: Invocation, definition: DefinitionRef, options: Options): Promise<void> {
  const { inputFile: file, input } = options;
  if (file === undefined || input !== undefined) throw new CliError({ message: '--each-line needs --input-file' });
  const template = toSubmission(definition, options);
  const connection = await invocation.connection();
  const bar = new ProgressBar(invocation.out, 'submitting', await sizeOf(invocation.process, file), 'share');
  let stored = 0;
  try {
    for await (const batch of batches(lines(invocation.process, file))) {
      const jobs = batch.map((line) => submissionOf(line, template, file, options));
      await submitBatch(invocation, connection, { lines: batch, jobs, batchJobId: options.batch ?? '' }, stored);
      stored += jobs.length;
      bar.advance(sizeOfBatch(batch));
    }
  } finally {
    bar.stop();
  }
  if (!invocation.out.json) invocation.out.note(`${countText(stored, 'job')} stored`);
}

function submissionOf(
  { number, text }: Line,
  template: JobSubmission,
  file: string,
  { contentType, idempotencyKey }: Options,
): JobSubmission {
  const type = contentType ?? typeByName(file === '-' ? file : `${file}.json`);
  const input = payloadOf(new TextEncoder().encode(text), type, `line ${number} of ${nameOf(file)}`);
  // Each line has its own key, which is the same if the file is submitted again.
  const key = idempotencyKey === undefined ? {} : { idempotencyKey: `${idempotencyKey}:${number}` };
  return { ...template, input, ...key };
}

interface LinesCall {
  readonly lines: readonly Line[];
  readonly jobs: JobSubmission[];
  /** Empty: none. */
  readonly batchJobId: string;
}

async function submitBatch(
  { out }: Invocation,
  connection: Connection,
  { lines: batch, jobs, batchJobId }: LinesCall,
  stored: number,
): Promise<void> {
  try {
    const { namespace } = connection;
    const response = await connection.jobs.submitJobs(
      { namespace, jobs, requestId: randomUUID(), batchJobId },
      { timeoutMs: 60_000 },
    );
    for (const one of response.jobs) {
      if (out.json) out.messageItem(SubmissionResultSchema, one);
      else out.line(one.jobId);
    }
  } catch (error) {
    const [first, last] = [batch[0]?.number, batch.at(-1)?.number];
    out.note(
      `Lines ${first} to ${last} were not stored, nor what follows them; ${countText(stored, 'job')} before them ${stored === 1 ? 'was' : 'were'}.`,
    );
    throw error instanceof MusterError ? withLines(error, batch) : error;
  }
}

/** The refusal names jobs by their index in the call; users know line numbers. */
function withLines(error: MusterError, batch: readonly Line[]): MusterError {
  return renameFields(error, (field) =>
    field.replace(/^jobs\[(\d+)\]/, (whole, at) => (batch[Number(at)] ? `line ${batch[Number(at)]?.number}` : whole)),
  );
}

/** Non-empty lines with their numbers. */
async function* lines(process: CommandProcess, file: string): AsyncGenerator<Line> {
  let number = 0;
  try {
    const input = openInput(process, file);
    const reader = createInterface({ input: Readable.from(input), crlfDelay: Number.POSITIVE_INFINITY });
    for await (const text of reader) {
      number += 1;
      if (text.trim() !== '') yield { number, text };
    }
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function* batches(from: AsyncIterable<Line>): AsyncGenerator<Line[]> {
  let batch: Line[] = [];
  let size = 0;
  for await (const line of from) {
    if (batch.length >= MAX_JOBS || (batch.length > 0 && size + line.text.length > MAX_BYTES)) {
      yield batch;
      [batch, size] = [[], 0];
    }
    batch.push(line);
    size += Buffer.byteLength(line.text);
  }
  if (batch.length > 0) yield batch;
}

function sizeOfBatch(batch: readonly Line[]): number {
  return batch.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 1, 0);
}

/** Zero if unknown in advance. */
async function sizeOf(process: CommandProcess, file: string): Promise<number> {
  if (file === '-') return 0;
  return stat(pathOf(process, file)).then(
    ({ size }) => size,
    (error) => Promise.reject(unreadable(file, error)),
  );
}
