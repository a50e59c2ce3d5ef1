/** Shows batches: members, progress and outcome. */
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { type Batch, type BatchCounts, type Job, JobState, stateName } from '@muster-jobs/sdk/grpc';
import { countText, spanText } from '../../view/times.ts';
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import { styledState } from './states.ts';
import { timeText } from './times.ts';

type Outcome = 'succeeded' | 'failed' | 'cancelled' | 'expired' | 'skipped';
const outcomes: readonly Outcome[] = ['succeeded', 'failed', 'cancelled', 'expired', 'skipped'];

/** Such as `1,204 of 20,000 members ended, 3 failed`. */
export function countsText(counts: BatchCounts | undefined): string {
  if (!counts) return '';
  const ended = Number(counts.members - counts.open);
  const others = outcomes.filter((name) => name !== 'succeeded' && counts[name] > 0n);
  const parts = others.map((name) => `, ${Number(counts[name]).toLocaleString('en-US')} ${name}`);
  return `${ended.toLocaleString('en-US')} of ${countText(Number(counts.members), 'member')} ended${parts.join('')}`;
}

/** Such as `220/s, done in 1m 20s`; empty while nothing ends. */
export function speedText({ endRate, estimatedEndTime }: Batch, now = Date.now()): string {
  if (endRate === 0) return '';
  const rate = `${endRate < 10 ? endRate.toFixed(1) : Math.round(endRate).toLocaleString('en-US')}/s`;
  if (estimatedEndTime === undefined) return rate;
  return `${rate}, done in ${spanText(Math.max(0, timestampDate(estimatedEndTime).getTime() - now))}`;
}

/** Such as `, 300 to come`; empty if all members exist. */
export function comingText({ retry, job }: Batch): string {
  if (!retry || retry.remainingCount === 0n || job?.endTime) return '';
  const why = retry.waitMessage ? `, waiting for ${printable(retry.waitMessage)}` : '';
  return `, ${Number(retry.remainingCount).toLocaleString('en-US')} to come${why}`;
}

/** The batch that it retries, and the outcome of that. */
function retryText({ retry, job }: Batch): string {
  if (!retry) return '';
  const { batchJobId, failedCount, remainingCount: left, retriedBeforeCount, skippedByReason } = retry;
  const others: [count: bigint, what: string][] = [
    [job?.endTime ? left : 0n, 'not checked'],
    [retriedBeforeCount, 'retried before'],
    ...Object.entries(skippedByReason).map(([reason, count]): [bigint, string] => [count, `not: ${printable(reason)}`]),
  ];
  const parts = others
    .filter(([count]) => count > 0n)
    .map(([count, what]) => `, ${Number(count).toLocaleString('en-US')} ${what}`);
  return `${countText(Number(failedCount), 'member')} of ${batchJobId}${parts.join('')}`;
}

/** From 0 to 1. */
export function shareOf({ counts, retry }: Batch): number {
  const all = Number((counts?.members ?? 0n) + (retry?.remainingCount ?? 0n));
  return counts && all > 0 ? Number(counts.members - counts.open) / all : 0;
}

export function showBatch(out: Output, batch: Batch): void {
  const { job, sealed, sealTime, description, callback, callbackJobId, callbackError } = batch;
  const state = job?.state ?? JobState.UNSPECIFIED;
  out.line(
    `${out.styled('bold', `Batch ${job?.jobId}`)}  ${styledState(out, state, stateText(state, sealed, batch.retry !== undefined))}`,
  );
  out.facts(
    [
      ['members', `${countsText(batch.counts)}${comingText(batch)}`],
      ['retries', retryText(batch)],
      ['speed', speedText(batch)],
      ['may fail', policyText(batch)],
      ['description', description],
      ['labels', labelsText(batch)],
      ['created', timeText(job?.createTime)],
      ['sealed', timeText(sealTime)],
      ['ended', timeText(job?.endTime)],
      ['why', job ? whyText(job) : ''],
      ['callback', callbackJobId || callbackError || callback?.definition || ''],
    ],
    '  ',
  );
}

/** An OPEN batch takes members; a FILLING one gets the members that it retries. */
function stateText(state: JobState, sealed: boolean, isRetry: boolean): string {
  return state === JobState.WAITING ? (sealed ? 'SEALED' : isRetry ? 'FILLING' : 'OPEN') : stateName(state);
}

function policyText({ maxFailed, tolerateFailed }: Batch): string {
  if (tolerateFailed) return 'any number';
  return maxFailed === undefined ? 'none, but all run' : `${maxFailed}, then it stops`;
}

function labelsText({ labels }: Batch): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}

export function whyText({ outcome, stateReason }: Job): string {
  return outcome.case === 'failure' ? printable(outcome.value.message) : printable(stateReason);
}
