/** Following a batch to its end. */
import { type Batch, BatchSchema, durationFromMs, isTerminal, JobState } from '@muster-jobs/sdk/grpc';
import { spanBetween, spanText } from '../../../view/times.ts';
import type { Connection } from '../../connection.ts';
import { exitOfJob } from '../../failures/exit-codes.ts';
import type { Invocation } from '../../invocation.ts';
import { comingText, countsText, shareOf, speedText, whyText } from '../../output/batch-view.ts';
import { LiveLine } from '../../output/progress.ts';
import { styledState } from '../../output/states.ts';
import { present } from '../../require-field.ts';

/** Poll interval of a batch that is waited for. */
const POLL_MS = 1_000;

export async function readBatch({ batches, namespace }: Connection, jobId: string): Promise<Batch> {
  return present((await batches.getBatch({ namespace, jobId })).batch, 'batch');
}

/** Shows how the batch ended, or its progress when the timeout passed; returns the exit code. */
export async function waitForBatch(
  invocation: Invocation,
  { timeout }: { timeout?: number },
  jobId: string,
): Promise<number> {
  const connection = await invocation.connection();
  const { out } = invocation;
  const batch = await ended(out, connection, jobId, timeout);
  const state = batch.job?.state ?? JobState.UNSPECIFIED;
  if (out.json) out.message(BatchSchema, batch);
  else if (isTerminal(state)) showEnd(out, batch);
  else out.note(`After ${spanText(timeout ?? 0)}: ${countsText(batch.counts)}${comingText(batch)}; it continues.`);
  return exitOfJob(state);
}

function showEnd(out: Invocation['out'], { job, counts }: Batch): void {
  const took = spanBetween(job?.createTime, job?.endTime);
  out.line(
    `Batch ${job?.jobId} ${styledState(out, job?.state ?? JobState.UNSPECIFIED)} after ${took}: ${countsText(counts)}`,
  );
  if (job && job.state !== JobState.SUCCEEDED) out.line(`  ${whyText(job)}`);
}

/** The batch when it has ended or the timeout has passed; on a terminal with a line that shows its progress. */
async function ended(
  out: Invocation['out'],
  connection: Connection,
  jobId: string,
  timeout = Number.POSITIVE_INFINITY,
): Promise<Batch> {
  const { jobs, namespace } = connection;
  const end = performance.now() + timeout;
  const line = out.stderr.isTTY ? new LiveLine(out) : undefined;
  try {
    for (;;) {
      const left = Math.max(0, Math.min(POLL_MS, end - performance.now()));
      // The first read refuses a job that is not a batch.
      const batch = await readBatch(connection, jobId);
      line?.show(`${countsText(batch.counts)}${comingText(batch)}`, shareOf(batch), speedText(batch));
      if (isTerminal(batch.job?.state ?? JobState.UNSPECIFIED) || performance.now() >= end) return batch;
      await jobs.waitJob({ namespace, jobId, timeout: durationFromMs(left) });
    }
  } finally {
    line?.stop();
  }
}
