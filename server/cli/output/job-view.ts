/** Shows a job: its facts, its state and reason, and its attempts. */
import {
  type Attempt,
  AttemptOutcomeSchema,
  type Failure,
  FailureCauseSchema,
  type Job,
  waitReasonName,
} from '@muster-jobs/sdk/grpc';
import { reportedText } from '../../view/progress-words.ts';
import { spanBetween } from '../../view/times.ts';
import type { Output } from './output.ts';
import { payloadLines } from './payloads.ts';
import { printable, printableLines } from './printable.ts';
import { styledState } from './states.ts';
import { timeText } from './times.ts';

/** @param howFar Progress of a running workflow. */
export function showJob(out: Output, job: Job, howFar?: string): void {
  out.line(`${out.styled('bold', `Job ${job.jobId}`)}  ${styledState(out, job.state)}`);
  out.facts(factsOf(job, howFar), '  ');
  if (job.input?.data.length) section(out, 'Input', payloadLines(job.input));
  if (job.outcome.case === 'result') section(out, 'Result', payloadLines(job.outcome.value));
  if (job.outcome.case === 'failure') section(out, 'Failure', failureLines(job.outcome.value));
  if (job.attempts.length > 0) showAttempts(out, job.attempts);
}

function factsOf(job: Job, howFar = ''): [string, string][] {
  const { cancellation, progress } = job;
  return [
    ['definition', `${job.definition}@${job.definitionVersion}`],
    ['namespace', job.namespace],
    ['queue', job.queue],
    ['waits for', waitReasonName(job.waitReason)],
    ['why', job.stateReason],
    ['progress', progress && job.endTime === undefined ? reportedText(progress, Date.now()) : howFar],
    ['priority', job.priority === 0 ? '' : String(job.priority)],
    [
      'labels',
      Object.entries(job.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
    ],
    ['attempts', job.attempt === 0 ? '' : `${job.attemptCount} counted`],
    ['created', timeText(job.createTime)],
    ['runs from', job.endTime === undefined ? timeText(job.runTime) : ''],
    ['expires', job.endTime === undefined ? timeText(job.expireTime) : ''],
    ['should end by', deadlineText(job)],
    ['assigned', timeText(job.assignTime)],
    ['ended', timeText(job.endTime)],
    ['session', job.sessionId],
    ['idempotency', job.idempotencyKey],
    ['retry of', job.retryOf],
    ['parent', job.parentJobId],
    ['fairness key', job.fairnessKey],
    ['limit key', job.limitKey],
    ['trace', job.traceparent],
    ['cancel', cancellation ? cancelText(cancellation) : ''],
    ['clean-up', job.cleanupJobId],
    ['erased', job.erased ? 'its data is gone for good' : ''],
  ];
}

function deadlineText({ softDeadlineTime, softDeadlineMissTime }: Job): string {
  return `${timeText(softDeadlineTime)}${softDeadlineMissTime ? ' (missed)' : ''}`;
}

function cancelText({ reason, requestTime }: NonNullable<Job['cancellation']>): string {
  return [`asked for ${timeText(requestTime)}`, reason].filter((text) => text !== '').join(': ');
}

function section(out: Output, title: string, lines: readonly string[]): void {
  out.line(`${out.styled('bold', title)}`);
  for (const line of lines) out.line(`  ${line}`);
}

/** The failure and its causes, each with its stack trace. */
export function failureLines(failure: Failure): string[] {
  const cause = FailureCauseSchema.value[failure.failureCause]?.localName;
  const notes = [
    cause,
    failure.exitCode === 0 ? '' : `exit code ${failure.exitCode}`,
    failure.nonRetryable ? 'non-retryable' : '',
  ];
  const shown = notes.filter(Boolean).join(', ');
  const [first = '', ...rest] = chainLines(failure);
  return [shown === '' ? first : `${first} (${shown})`, ...rest];
}

function chainLines({ type, message, stackTrace, cause }: Failure): string[] {
  const said = printableLines(`${type || 'failure'}: ${message}`);
  const stack = stackTrace === '' ? [] : printableLines(stackTrace);
  // In most languages a stack trace begins with the message.
  const repeats = said.every((line, at) => stack[at] === line);
  const lines = [...said, ...stack.slice(repeats ? said.length : 0)];
  if (cause === undefined) return lines;
  return [...lines, 'caused by', ...chainLines(cause).map((line) => `  ${line}`)];
}

function showAttempts(out: Output, attempts: readonly Attempt[]): void {
  out.line(out.styled('bold', 'Attempts'));
  out.table(
    [
      { title: '  #', value: ({ attempt }) => `  ${attempt}` },
      { title: 'OUTCOME', value: outcomeText },
      { title: 'TOOK', value: ({ assignTime, endTime }) => spanBetween(assignTime, endTime) },
      { title: 'WORKER', value: ({ workerName, sessionId }) => workerName || sessionId, min: 8 },
      {
        title: 'FAILURE',
        value: ({ failure }) => (failure ? printable(`${failure.type}: ${failure.message}`) : ''),
        min: 8,
      },
    ],
    attempts,
  );
}

function outcomeText({ outcome, counted, lateReport }: Attempt): string {
  const name = outcome === 0 ? 'open' : outcomeName(outcome);
  const late = lateReport ? `; ${outcomeName(lateReport.outcome)} came too late` : '';
  return (outcome === 0 || counted ? name : `${name} (not counted)`) + late;
}

function outcomeName(outcome: Attempt['outcome']): string {
  return AttemptOutcomeSchema.value[outcome]?.localName ?? String(outcome);
}
